/** What the two doors to the operator need so that nothing secret stands in what they say. They import it from here, as they do everything of `ops/`. */
export { describeThrown, redactCrashes, sayError } from '#ops/base/redact/crash-output'
export { loadSecrets } from '#ops/base/redact/known-secrets'
export { redact } from '#ops/base/redact/redaction'
