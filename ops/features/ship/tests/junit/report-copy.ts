// What HQ keeps of a report beside its counts.
import type { TestCase } from './test-report.ts'

/** Longest report that is kept as it is, and longest list of cases that is kept of a longer one, in characters. */
const maxCopy = 8 * 1024 * 1024

/**
 * The text of a report, up to a size. Of a longer one the cases with their outcomes and messages are kept, without
 * output.
 */
export class ReportCopy {
  readonly #source: string
  #text: string[] | null = []
  #textLength = 0
  readonly #cases: string[] = []
  #casesLength = 0
  #left = 0

  /** @param source path of the report */
  constructor(source: string) {
    this.#source = source
  }

  addText(text: string): void {
    this.#textLength += text.length
    if (this.#textLength > maxCopy) this.#text = null
    this.#text?.push(text)
  }

  addCase({ name, outcome, message }: TestCase): void {
    const line = `<testcase name="${escaped(name)}"${rest(outcome, escaped(message))}\n`
    if (this.#casesLength + line.length > maxCopy) {
      this.#left += 1
      return
    }
    this.#casesLength += line.length
    this.#cases.push(line)
  }

  /** An XML text in UTF-8. */
  toString(): string {
    if (this.#text !== null) return this.#text.join('').replace(declaredEncoding, '$1UTF-8')
    const source = escaped(this.#source).replaceAll('--', '- -')
    return [
      '<?xml version="1.0" encoding="UTF-8"?>\n',
      `<!-- ${source} has ${this.#textLength} characters. HQ kept its cases without their output`,
      `${this.#left === 0 ? '' : ` and left out the last ${this.#left}`}. -->\n`,
      '<testsuites>\n',
      ...this.#cases,
      '</testsuites>\n',
    ].join('')
  }
}

const declaredEncoding = /^([\uFEFF\s]*<\?xml[^>]*?\sencoding\s*=\s*["'])[^"'>]*/

function rest(outcome: TestCase['outcome'], message: string): string {
  if (outcome === 'passed') return '/>'
  if (outcome === 'failed') return `><failure message="${message}"/></testcase>`
  return `><skipped type="${outcome}" message="${message}"/></testcase>`
}

const escaped = (text: string): string =>
  text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
