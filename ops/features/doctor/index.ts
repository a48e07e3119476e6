// Doctor, as other features see it. Only what stands here may be imported by another feature.
export { endedDeploys, stateFinding } from './deploy-checks.ts'
export { runDoctor } from './doctor.ts'
