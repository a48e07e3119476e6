import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query'
import type { Input, Output, ProcedureName } from '#shared/bridge'
import { useHq } from '../bridge/context.ts'

type HostProcedure = Extract<ProcedureName, `hosts.${string}`>

/** Requests something of a host, and reads again what that changed. */
export function useHostCall<P extends HostProcedure>(
  name: P,
): UseMutationResult<Output<P>, Error, Input<P>> {
  const { bridge } = useHq()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (input: Input<P>) => bridge.call(name, input),
    onSettled: async () => {
      await Promise.all(
        ['overview', 'hosts', 'machines', 'settings'].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      )
    },
  })
}
