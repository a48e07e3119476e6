import { Command, InvalidArgumentError } from 'commander'
import { startScriptedReview } from './scripted-review.ts'

const portOf = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('not a port number')
  return Number(text)
}

const { port } = new Command('scripted-review')
  .description('the scripted review of the local demo, on loopback')
  .option('--port <n>', 'port to listen on; 0 takes a free one', portOf, 0)
  .parse()
  .opts<{ port: number }>()

const review = await startScriptedReview(port)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    void review.close()
  })
process.stdout.write(
  `${JSON.stringify({ ready: true, url: review.base_url, base_url: review.base_url })}\n`,
)
