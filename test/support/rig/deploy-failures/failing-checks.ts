// Deploys that fail: checks.
import { webProgram } from '../../docker.ts'
import { productionPaths as paths } from '../host.ts'
import { shipped, cloneGit, aPort, listenAs, type DeployFailure } from './making.ts'

export const failingChecks: readonly DeployFailure[] = [
  {
    name: 'a key endpoint that says no',
    errorClass: 'endpoint_not_ok',
    step: 'verify_production',
    before: false,
    plant: (at, random) => {
      const path = `/api/${random.hex(6)}`
      return shipped(
        at,
        random,
        {
          files: {
            'web/server.cjs': webProgram.replace(
              "ok: message !== 'sick'",
              `ok: message !== 'sick' && request.url !== ${JSON.stringify(path)}`,
            ),
          },
          config: { endpoints: [{ service: 'web', path }] },
        },
        { says: path },
      )
    },
  },
  {
    name: 'a route that is not there',
    errorClass: 'route_missing',
    step: 'console_route_gate',
    before: false,
    plant: (at, random) => {
      const path = `/api/${random.hex(6)}`
      return shipped(at, random, { config: { routes: [{ path }] } }, { says: path })
    },
  },
  {
    name: 'a commit without a review',
    errorClass: 'unreviewed_commit',
    step: 'git_sync',
    plant: async (at, random) => ({ says: await at.ship(random.hex(8), {}, { reviewed: false }) }),
  },
  {
    name: 'a configuration that is no JSON',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: (at, random) =>
      shipped(
        at,
        random,
        { files: { 'openclaw.config.json': `{ "schema_version": 1, ${random.hex(5)}` } },
        { says: 'openclaw.config.json' },
      ),
  },
  {
    name: 'a configuration with a field that nobody knows',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: (at, random) => {
      const field = `x${random.hex(6)}`
      return shipped(at, random, { config: { [field]: true } }, { says: field })
    },
  },
  {
    name: 'an origin that does not answer',
    errorClass: 'push_probe_inconclusive',
    step: 'assert_production_pull_only',
    plant: async (at) => {
      const url = (await cloneGit(at, ['remote', 'get-url', 'origin'])).trim()
      await cloneGit(at, ['remote', 'set-url', 'origin', `git://${at.rig.outside}:1/project.git`])
      return {
        says: 'unable to connect',
        undo: async () => await cloneGit(at, ['remote', 'set-url', 'origin', url]),
      }
    },
  },
  {
    name: 'a host that could push',
    errorClass: 'production_can_push',
    step: 'assert_production_pull_only',
    plant: async (at, random) => {
      const [name, port] = [random.hex(6), aPort(random)]
      await at.rig.must([
        'git',
        'clone',
        '--quiet',
        '--bare',
        at.rig.origin.url('project.git'),
        `/srv/${name}.git`,
      ])
      await listenAs(at, 'pushable', port, [
        'git',
        'daemon',
        '--listen=127.0.0.1',
        `--port=${port}`,
        '--reuseaddr',
        '--export-all',
        '--enable=receive-pack',
        '--base-path=/srv',
        '/srv',
      ])
      const url = `git://127.0.0.1:${port}/${name}.git`
      await cloneGit(at, ['remote', 'set-url', '--push', 'origin', url])
      return {
        says: url,
        undo: async () => {
          await cloneGit(at, ['config', '--unset', 'remote.origin.pushurl'])
          await at.rig.must(['systemctl', 'stop', 'pushable'])
        },
      }
    },
  },
  {
    name: 'a trust file that cannot be read',
    errorClass: 'config_invalid',
    step: 'git_sync',
    plant: async (at, random) => {
      await at.rig.write(
        paths.trustFile,
        `{ "schema_version": 1, "baseline": "${random.hex(39)}" }`,
      )
      return {
        says: 'baseline',
        undo: async () => await at.rig.write(paths.trustFile, JSON.stringify(at.laptop.trust)),
      }
    },
  },
  {
    name: 'a Docker that is not running',
    errorClass: 'docker_unreachable',
    step: 'console_build',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      await at.rig.must(['systemctl', 'stop', 'docker.socket', 'docker.service'])
      return {
        says: 'docker.sock',
        undo: async () =>
          await at.rig.must(['systemctl', 'start', 'docker.socket', 'docker.service']),
      }
    },
  },
  {
    name: 'a state file that cannot be read',
    errorClass: 'state_invalid',
    step: 'verify_production',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      const before = await at.rig.must(['cat', paths.projectState])
      await at.rig.write(
        paths.projectState,
        before.slice(0, 1 + random.below(before.length - 2)),
        0o644,
      )
      return {
        says: 'project_state.json',
        undo: async () => await at.rig.write(paths.projectState, before, 0o644),
      }
    },
  },
  {
    name: 'a state file that cannot be replaced',
    errorClass: 'state_not_written',
    step: 'update_project_state',
    before: false,
    plant: async (at, random) => {
      await at.ship(random.hex(8))
      await at.rig.must(['mount', '--bind', paths.projectState, paths.projectState]) // nothing can be renamed over it
      return {
        says: 'project_state.json',
        undo: async () => await at.rig.must(['umount', paths.projectState]),
      }
    },
  },
]
