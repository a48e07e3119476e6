// An older hostd starts the console of a new release by this path
// (docs/decisions/0013-a-deploy-of-hq-itself.md).
import '#ops/host/console/main'
