import type { BridgeTransport } from '#shared/bridge'

declare global {
  interface Window {
    /** Put there by the preload script of the desktop app; absent in a browser. */
    readonly openclaw?: BridgeTransport
  }
}
