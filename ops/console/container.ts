// An older deploy puts this program of a new release into the image of the console
// (docs/decisions/0013-a-deploy-of-hq-itself.md).
import '#ops/host/console/container'
