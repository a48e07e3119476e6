import { connectorNames, connectors, type ConnectorName } from '#shared/connectors/list'
import type { ConnectWay } from '#shared/connectors/ways'
import type { Keystore } from '../settings/keystore.ts'

const keyOf = (name: ConnectorName, field: string): string => `connector-field ${name}.${field}`

/** Names of the fields of a connector that HQ keeps, of all its ways. */
const keptNames = (name: ConnectorName): string[] => {
  const ways: readonly ConnectWay[] = Object.values(connectors[name].ways)
  const kept = ways.flatMap(({ fields }) => fields.filter((field) => field.kept === true))
  return [...new Set(kept.map((field) => field.name))]
}

/** What HQ keeps of the forms for the next attempt, in the keystore of this laptop. */
export class KeptFields {
  readonly #keystore: Keystore
  readonly #log: (text: string) => void
  /** Read once: a keyring may ask the person each time. */
  #values: Promise<Map<string, string>> | null = null

  constructor(keystore: Keystore, log: (text: string) => void) {
    this.#keystore = keystore
    this.#log = log
  }

  /** @returns `<connector>.<field>` of each field that has a value */
  async list(): Promise<string[]> {
    const values = await this.#read()
    return connectorNames.flatMap((name) =>
      keptNames(name)
        .filter((field) => values.has(keyOf(name, field)))
        .map((field) => `${name}.${field}`),
    )
  }

  /** @returns the form, with a kept value in each field that was left empty */
  async fill(
    name: ConnectorName,
    { fields }: ConnectWay,
    given: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>> {
    const values = await this.#read()
    const filled = { ...given }
    for (const field of fields) {
      const kept = values.get(keyOf(name, field.name))
      if (field.kept === true && kept !== undefined && (given[field.name] ?? '').trim() === '')
        filled[field.name] = kept
    }
    return filled
  }

  async keep(name: ConnectorName, kept: ReadonlyMap<string, string>): Promise<void> {
    const values = await this.#read()
    for (const [field, value] of kept) {
      const key = keyOf(name, field)
      if (values.get(key) === value) continue
      values.set(key, value)
      try {
        await this.#keystore.set(key, value)
      } catch (error) {
        // The connector is ready all the same; the field is filled in again after the next start.
        this.#log(`${name}.${field} could not be kept: ${String(error)}`)
      }
    }
  }

  async #read(): Promise<Map<string, string>> {
    this.#values ??= this.#load()
    return await this.#values
  }

  async #load(): Promise<Map<string, string>> {
    const values = new Map<string, string>()
    for (const name of connectorNames)
      for (const field of keptNames(name)) {
        const key = keyOf(name, field)
        try {
          const value = await this.#keystore.get(key)
          if (value !== null) values.set(key, value)
        } catch (error) {
          // The person can fill in the field.
          this.#log(`The kept ${name}.${field} could not be read: ${String(error)}`)
        }
      }
    return values
  }
}
