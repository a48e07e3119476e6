import { tailnetPrograms, whyNoTailnet } from './programs.ts'

// Started beside the tests of the rig, so that those of the tailnet find its programs when their turn comes.
if (whyNoTailnet() === null) await tailnetPrograms(() => undefined)
