// Markdown of the reference pages.

/** A table. Cells are text; a bar in one is escaped. */
export function table(titles, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`
  return [line(titles), `| ${titles.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n')
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')

export const code = (text) => `\`${text}\``

/** A page: a heading, where it comes from, and its parts. */
export function page(title, source, parts) {
  const origin = `_Generated from ${source} by \`npm run reference\`. Do not edit._`
  return `# ${title}\n\n${origin}\n\n${parts.join('\n\n')}\n`
}
