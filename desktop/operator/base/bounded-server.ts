/** What `hq serve` uses so that no caller holds it up. */
export {
  bodyMs,
  connectionRefusals,
  refuseOddRequest,
  serverLimits,
} from '#ops/base/http/bounded-server'
