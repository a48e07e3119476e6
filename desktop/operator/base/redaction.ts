/** What the desktop app and `hq serve` use so that no secret stands in what they print. */
export { describeThrown, redactCrashes, sayError } from '#ops/base/redact/crash-output'
export { loadSecrets } from '#ops/base/redact/known-secrets'
export { redact } from '#ops/base/redact/redaction'
