import { useMutation, useQueryClient } from '@tanstack/react-query'
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
