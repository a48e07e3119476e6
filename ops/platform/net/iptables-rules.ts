import type { NatRule, NatTable } from './nat-rules.ts'

/** Words of one line; those with spaces stand in double quotes, inside which a backslash escapes. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1'),
  )

const sends = new Set(['DNAT', 'REDIRECT', 'TPROXY', 'NETMAP'])
/** Targets that end or mark, and lead to no other chain. */
const plainTargets = new Set([
  'ACCEPT',
  'DROP',
  'REJECT',
  'RETURN',
  'MASQUERADE',
  'SNAT',
  'LOG',
  'NFLOG',
  'MARK',
  'CONNMARK',
  'TCPMSS',
  'CT',
  'NOTRACK',
  'CHECKSUM',
  'SET',
  'TTL',
  'HL',
  'DSCP',
  'TOS',
  'CLASSIFY',
  'NFQUEUE',
])

const portRange = (text: string): [number, number] => {
  const [first = '', last = first] = text.split(':')
  return [Number(first === '' ? '0' : first), Number(last === '' ? '65535' : last)]
}

function parseRule(table: string, line: string, prefix: string): NatRule | null {
  const words = wordsOf(line)
  const found = new Map<string, string>()
  for (const [i, word] of words.entries()) {
    if (!word.startsWith('-')) continue
    // A negated match leaves nearly everything open: it limits nothing.
    const negated = words[i - 1] === '!'
    if (!negated) found.set(word, words[i + 1] ?? '')
  }
  const target = found.get('-j') ?? found.get('-g')
  const chain = found.get('-A')
  if (target === undefined || chain === undefined || plainTargets.has(target)) return null
  const list = (name: string): string[] | null => found.get(name)?.split(',') ?? null
  const ports = found.get('--dport') ?? found.get('--dports') ?? null
  return {
    table: `${prefix}${table}`,
    chain,
    action: sends.has(target) ? { kind: 'send', how: target } : { kind: 'go', chain: target },
    interfaces: list('-i'),
    destinations: list('-d'),
    sources: list('-s'),
    protocol: found.get('-p') ?? null,
    ports: ports === null ? null : ports.split(',').map(portRange),
    text: line,
  }
}

/**
 * Output of iptables-save, ip6tables-save and their legacy forms: the format that iptables-restore reads.
 * @param prefix names the program in messages
 */
export function parseIptablesSave(text: string, prefix: string): NatTable {
  const rules: NatRule[] = []
  const entries: string[] = []
  let table = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      table = line.slice(1).trim()
      entries.push(`${prefix}${table}/PREROUTING`)
    } else if (line.startsWith('-A ')) {
      const rule = parseRule(table, line, prefix)
      if (rule) rules.push(rule)
    }
  }
  return { rules, entries }
}
