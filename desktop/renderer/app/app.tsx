import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import type { BridgeTransport } from '#shared/bridge'
import type { Connection } from '../bridge/connect.ts'
import { consoleClient } from '../bridge/console-client.ts'
import { consoleTransport } from '../bridge/console-transport.ts'
import { SignIn } from './entry/sign-in.tsx'
import { Stranded } from './entry/stranded.tsx'
import { Hq } from './hq.tsx'

/** Nothing is retried unseen: the next poll is soon, and a failure shows at once. */
const newClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: { retry: false, refetchOnWindowFocus: true, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })

export function App({ connection }: { connection: Connection }): ReactElement {
  if (connection.mode === 'stranded')
    return <Stranded title={connection.title} cause={connection.cause} />
  if (connection.mode === 'console') return <Console />
  return <Connected transport={connection.transport} />
}

function Connected({ transport }: { transport: BridgeTransport }): ReactElement {
  const [client] = useState(newClient)
  return (
    <QueryClientProvider client={client}>
      <Hq transport={transport} />
    </QueryClientProvider>
  )
}

/** The console: the operator enters the token, which stays in memory; again when the host refuses it. */
function Console(): ReactElement {
  const [transport, setTransport] = useState<BridgeTransport | null>(null)
  const [refused, setRefused] = useState(false)
  const signIn = async (token: string): Promise<void> => {
    let live = false
    const client = consoleClient(token, () => {
      if (!live) return
      setTransport(null)
      setRefused(true)
    })
    await client.status()
    live = true
    setRefused(false)
    setTransport(consoleTransport(client))
  }
  return transport === null ? (
    <SignIn onToken={signIn} refused={refused} />
  ) : (
    <Connected transport={transport} />
  )
}
