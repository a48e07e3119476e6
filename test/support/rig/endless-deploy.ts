import { endlessBuild, type DeployHost } from './deploy-host.ts'
import { until } from './patience.ts'

/** Starts a deploy whose image is never built, and waits until Docker builds it. */
export async function endlessDeploy(host: DeployHost, word: string): Promise<string> {
  await host.ship(word, { files: endlessBuild(word) })
  const id = await host.begin('deploy_and_verify')
  await until(
    'the image to be built',
    async () => (await isBuilding(host, word)) && host.log(id).includes(word),
  )
  return id
}
export const isBuilding = async ({ rig }: DeployHost, word: string): Promise<boolean> =>
  (await rig.exec(['pgrep', '-f', `console.log..${word}`])).code === 0
