// Name of the file that is written last into a release of HQ, and into a packaged app.

/** Without it the folder is half an installation. Nothing in the folder changes after it. */
export const releaseMark = '.openclaw-release.json'
