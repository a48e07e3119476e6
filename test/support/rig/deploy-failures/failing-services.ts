// Deploys that fail: services.
import { webDockerfile } from '../../docker.ts'
import { appPort } from '../deploy-host.ts'
import { packageInside } from '../rig.ts'
import { open, shipped, aPort, listenAs, type DeployFailure } from './making.ts'

export const failingServices: readonly DeployFailure[] = [
  {
    name: 'an image that copies a file that is not there',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const file = `${random.hex(6)}.txt`
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `${webDockerfile}COPY ${file} /srv/\n` } },
        { says: file },
      )
    },
  },
  {
    name: 'an image file with an instruction that is none',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = `X${random.hex(5).toUpperCase()}`
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `${webDockerfile}${word} /srv\n` } },
        { says: word },
      )
    },
  },
  {
    name: 'an image whose program ends badly while it is built',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = random.hex(8)
      return shipped(
        at,
        random,
        {
          files: {
            'web/Dockerfile': `${webDockerfile}RUN ["node", "-e", "throw new Error('${word}')"]\n`,
          },
        },
        { says: word },
      )
    },
  },
  {
    name: 'an image of a base that cannot be had',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const name = random.hex(8)
      return shipped(
        at,
        random,
        { files: { 'web/Dockerfile': `FROM nowhere.invalid/${name}:1\nCMD ["node"]\n` } },
        { says: name },
      )
    },
  },
  {
    name: 'a compose file that is none',
    errorClass: 'docker_compose_failed',
    step: 'docker_compose',
    plant: (at, random) => {
      const word = `x${random.hex(6)}`
      return shipped(
        at,
        random,
        { files: { 'compose.yaml': `services:\n  web:\n    ${word}: 1\n` } },
        { says: word },
      )
    },
  },
  open('a port for everybody', (random) => ({
    web: { ports: [`0.0.0.0:${aPort(random)}:3000`, `127.0.0.1:${appPort}:3000`] },
    says: 'compose.yaml#/services/web/ports/0',
  })),
  open('a range of ports for everybody over IPv6', (random) => {
    const port = aPort(random)
    return {
      web: { ports: [`127.0.0.1:${appPort}:3000`, `[::]:${port}-${port + 3}:4000-4003`] },
      says: 'compose.yaml#/services/web/ports/1',
    }
  }),
  open('a privileged container', () => ({
    web: { privileged: true },
    says: 'compose.yaml#/services/web/privileged',
  })),
  open('a container in the network of the host', () => ({
    web: { network_mode: 'host', ports: [] },
    says: 'compose.yaml#/services/web/network_mode',
  })),
  open('the socket of Docker in a container', () => ({
    web: { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] },
    says: 'compose.yaml#/services/web/volumes/0',
  })),
  {
    name: 'a version that ends at once',
    errorClass: 'service_unhealthy',
    step: 'docker_compose',
    plant: (at, random) => {
      const says = `Error: no ${random.hex(8)} today`
      return shipped(
        at,
        random,
        {
          files: {
            'web/server.cjs': `console.error(${JSON.stringify(says)})\nprocess.exit(${1 + random.below(100)})\n`,
          },
        },
        { says },
      )
    },
  },
  {
    name: 'a version that never gets healthy',
    errorClass: 'service_unhealthy',
    step: 'docker_compose',
    plant: (at, random) => shipped(at, random, {}, { says: 'web' }, 'sick'),
  },
  {
    name: 'a port that another program has',
    errorClass: 'port_in_use',
    step: 'docker_compose',
    plant: async (at, random) => {
      const port = aPort(random)
      await listenAs(at, 'squatter', port, [
        `${packageInside}/node_modules/.bin/node`,
        '-e',
        `require('node:http').createServer().listen(${port}, '127.0.0.1')`,
      ])
      await at.ship(random.hex(8), {
        services: {
          extra: {
            image: 'hq-test-base:24',
            command: ['node', '-e', 'setInterval(() => 0, 1000)'],
            ports: [`127.0.0.1:${port}:80`],
          },
        },
      })
      return {
        says: `127.0.0.1:${port}`,
        undo: async () => await at.rig.must(['systemctl', 'stop', 'squatter']),
      }
    },
  },
]
