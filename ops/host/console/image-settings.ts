// What the console knows inside its container.
import { z } from 'zod'

/** Paths and port inside the console's container. */
export const containerPaths = {
  install: '/srv/hq',
  artifacts: '/var/openclaw_artifacts',
  socketFolder: '/run/openclaw/public',
  port: 8787,
} as const

/** `console.json` in the image: what the console must know of the host. Nothing in it is secret. */
export const imageSettings = z.strictObject({
  /** Port that the host publishes, for the Host rule. */
  port: z.number().int().min(1).max(65535),
  hostnames: z.array(z.string()),
  console_url: z.url().nullable(),
  /** File name of hostd's socket in its folder. */
  socket: z.string().min(1),
})
export type ImageSettings = z.infer<typeof imageSettings>
