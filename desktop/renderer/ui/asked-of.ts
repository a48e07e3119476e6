import { createContext, use, useEffect, useRef } from 'react'

/** Address of the host that the page shows; null: none. A question is about this one. */
export const AskedOf = createContext<string | null>(null)

/** Closes an open question when the page shows another host: what it asks would then be done there. */
export function useCloseForAnotherHost(open: boolean, onClose: () => void): void {
  const host = use(AskedOf)
  const asked = useRef(host)
  useEffect(() => {
    if (open && asked.current !== host) onClose()
    asked.current = host
  }, [host, open, onClose])
}
