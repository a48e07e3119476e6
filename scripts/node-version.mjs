/** There is a package of Node 24 for Linux and Windows, so an older Node can fetch it; for macOS there is none. */
export function refuseOldNode(version = process.versions.node, platform = process.platform) {
  const least = platform === 'darwin' ? 24 : 20
  if (Number(version.split('.')[0]) < least)
    throw new Error(
      `OpenClaw HQ needs Node ${least} or newer on ${platform === 'darwin' ? 'macOS' : 'this system'}; this ` +
        `is Node ${version}.`,
    )
}
