/** Ports at which Tailscale Serve publishes HQ of a host to the tailnet. */
export const tailnetPorts = {
  hostd: 443,
  /** hostd where the control server issues no certificates: in the test rig alone. */
  hostdPlain: 80,
  console: 8443,
} as const
