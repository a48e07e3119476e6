// Run by electron-builder (`afterPack` of electron-builder.yml) when the files of the desktop app lie in place.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { releaseId } from '#ops/host/install/release'
import { markComplete } from '#ops/core/host-state/releases'
import { areFresh, builtPrograms, bundledSources } from '#ops/base/process/built-program'
import { root } from './paths.mjs'

/**
 * Marks the app as complete, so that its programs start from their bundles. They could not be compared with the sources
 * there: the app has another package.json and no lock file, and its archive need not keep the times of files.
 *
 * @param {{ appOutDir: string, packager: { getResourcesDir(folder: string): string } }} context
 * @param {string} source where the app was packaged from
 * @throws {Error} when the bundles are of other sources, or were not packaged; then there is no app
 */
export default function markPackage({ appOutDir, packager }, source = root) {
  if (!areFresh(source))
    throw new Error(
      'The bundles in out/programs are of other sources. Run `npm run build`, then package again.',
    )
  // Only what is unpacked is run by Node.
  const app = join(packager.getResourcesDir(appOutDir), 'app.asar.unpacked')
  if (!existsSync(join(app, builtPrograms, bundledSources)))
    throw new Error(`${app} has no bundles in ${builtPrograms}. See asarUnpack.`)
  markComplete(app, { sha: releaseId(source), commit: null })
}
