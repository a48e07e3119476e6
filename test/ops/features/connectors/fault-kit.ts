import { renameSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectorState } from '#shared/connectors'
import type { ErrorClass } from '#shared/errors'
import { connectorHost, type ConnectorHost } from '../../../support/connector-host.ts'
import { silentPeer, webPeer } from '../../../support/connector-peers.ts'

/** One fault of a connector, and how a check must report it. */
export interface Fault {
  readonly name: string
  readonly make: () => unknown
  readonly state: ConnectorState
  readonly errorClass: ErrorClass
  readonly detail: RegExp
}

export const storage = 'kajabi_storage_state.json'
export const hour = 3600
export const now = (): number => Math.floor(Date.now() / 1000)

/** A host with connectors, and what makes a fault on it. */
export class FaultKit {
  at!: ConnectorHost
  /** Ends a peer when the tests end. */
  readonly closing: (() => unknown)[] = []

  async open(): Promise<void> {
    this.at = await connectorHost()
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close()
    await this.at.remove()
  }

  /** Moves a secret out of its folder. @returns where it is now */
  aside(name: string): string {
    const to = join(this.at.host.dir, name)
    renameSync(join(this.at.folder, name), to)
    return to
  }

  /** @returns what makes Kajabi answer every request like this */
  page(status: number, headers: Record<string, string> = {}, body = ''): () => void {
    return () => {
      this.at.kajabi.answer = (_request, response) => {
        response.writeHead(status, headers).end(body)
      }
    }
  }

  /** A peer that takes every connection and never answers. @returns its port */
  async silent(): Promise<number> {
    const peer = await silentPeer()
    this.closing.push(peer.close)
    return peer.port
  }

  /** @returns an address where nothing listens any more */
  async gone(): Promise<string> {
    const peer = await webPeer(() => undefined)
    await peer.close()
    return peer.url
  }
}
