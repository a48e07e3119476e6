/** Puts a file into the browser's downloads. @param name of the file, without folders */
export function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  // Never shown as a page of this origin, whatever is in it: a link with `download` only saves.
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
