import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactElement, ReactNode } from 'react'
import type { SettingsView } from '#shared/bridge'

/** Saves one part of the settings and takes the answer as the new view. */
export function useSave<I>(save: (input: I) => Promise<SettingsView>): {
  mutate: (input: I) => void
  isPending: boolean
  error: Error | null
  isSuccess: boolean
} {
  const client = useQueryClient()
  return useMutation({
    mutationFn: save,
    onSuccess: async (view) => {
      client.setQueryData(['settings'], view)
      await client.invalidateQueries({ queryKey: ['overview'] })
    },
  })
}

/** One part of the settings: what it is on the left, its fields on the right. */
export function Part({
  title,
  about,
  children,
}: {
  title: string
  about: ReactNode
  children: ReactNode
}): ReactElement {
  return (
    <section className="part" aria-label={title}>
      <div className="part-about">
        <h2>{title}</h2>
        <p className="quiet">{about}</p>
      </div>
      <div className="part-fields">{children}</div>
    </section>
  )
}
