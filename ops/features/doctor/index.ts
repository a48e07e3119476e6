// Doctor, as other features see it. Another feature may import only what this file exports.
export { endedDeploys, stateFinding } from './facts/deploys.ts'
export { runDoctor } from './doctor.ts'
