// What structured clone would carry, as text. One self-contained function, because its source also runs in the page.
export function makeClone() {
  const tag = '\u0000kind'
  const pack = (value) => {
    if (value === undefined) return { [tag]: 'undefined' }
    if (typeof value === 'bigint') return { [tag]: 'bigint', value: String(value) }
    if (typeof value === 'number' && !Number.isFinite(value))
      return { [tag]: 'number', value: String(value) }
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new Error('An object could not be cloned.')
    if (value === null || typeof value !== 'object') return value
    if (value instanceof Date) return { [tag]: 'date', value: value.getTime() }
    if (value instanceof Error) return { [tag]: 'error', name: value.name, message: value.message }
    if (
      value instanceof Map ||
      value instanceof Set ||
      value instanceof ArrayBuffer ||
      ArrayBuffer.isView(value)
    )
      throw new Error(`electron stand-in: ${value.constructor.name} over IPC is not modelled`)
    if (Array.isArray(value)) return value.map(pack)
    return Object.fromEntries(Object.keys(value).map((key) => [key, pack(value[key])]))
  }
  const unpack = (value) => {
    if (value === null || typeof value !== 'object') return value
    if (Array.isArray(value)) return value.map(unpack)
    switch (value[tag]) {
      case 'undefined':
        return undefined
      case 'bigint':
        return BigInt(value.value)
      case 'number':
        return Number(value.value)
      case 'date':
        return new Date(value.value)
      case 'error':
        return Object.assign(new Error(value.message), { name: value.name })
      default:
        return Object.fromEntries(Object.keys(value).map((key) => [key, unpack(value[key])]))
    }
  }
  return {
    toText: (value) => JSON.stringify(pack(value)),
    fromText: (text) => unpack(JSON.parse(text)),
  }
}
