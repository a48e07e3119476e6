// Where a suite installs programs: into its tree, not into the operator's machine.
import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { baseEnv } from '#ops/base/process/command'
import { writeWhole } from '#ops/base/files/json-file'

/**
 * Environment of the programs of a suite. What they install "for the user" or "for the whole machine" goes into the
 * folder of git inside the tree, where no test looks for files and which is removed with the tree; its programs are
 * found first. pip installs into a virtual environment only: elsewhere it would change the operator's Python. Caches
 * stay where they are, and nothing here stops a program that writes to a path of its own.
 *
 * @param folder the tree
 */
export function suiteEnv(folder: string): Record<string, string> {
  const installs = join(folder, '.git', 'hq-installs')
  mkdirSync(installs, { recursive: true })
  const within = (...parts: string[]): string => join(installs, ...parts)
  const env = baseEnv({ CI: '1' })
  const bins = [
    'npm/bin',
    'pnpm',
    'bun/bin',
    'gem/bin',
    'go/bin',
    'cargo/bin',
    'deno/bin',
    'python',
  ]
  return {
    ...env,
    PATH: [...bins.map((bin) => within(bin)), env['PATH'] ?? ''].join(delimiter),
    GIT_CONFIG_GLOBAL: gitConfig(within('gitconfig'), env['HOME'] ?? '/'),
    PIP_REQUIRE_VIRTUALENV: '1',
    PIPX_HOME: within('pipx'),
    PIPX_BIN_DIR: within('python'),
    UV_TOOL_DIR: within('uv'),
    UV_TOOL_BIN_DIR: within('python'),
    npm_config_prefix: within('npm'),
    PNPM_HOME: within('pnpm'),
    BUN_INSTALL_GLOBAL_DIR: within('bun'),
    BUN_INSTALL_BIN: within('bun', 'bin'),
    DENO_INSTALL_ROOT: within('deno'),
    GEM_HOME: within('gem'),
    GOBIN: within('go', 'bin'),
    CARGO_INSTALL_ROOT: within('cargo'),
  }
}

/** `git config --global` writes here; what the operator set is read through it. */
function gitConfig(path: string, home: string): string {
  const files = [join(home, '.config', 'git', 'config'), join(home, '.gitconfig')]
  const lines = files.map((file) => `\tpath = ${JSON.stringify(file)}\n`)
  writeWhole(path, `[include]\n${lines.join('')}`)
  return path
}
