// Name of the file that is written into a release of HQ last.

/** Without it the folder is half an installation. Nothing in the folder changes after it. */
export const releaseMark = '.openclaw-release.json'
