// Guard, as other features see it. Another feature may import only what this file exports.
export { runGuard } from './guard.ts'
