// Guard, as other features see it. Only what stands here may be imported by another feature.
export { runGuard } from './guard.ts'
