// The LocalAPI of Tailscale, whose answers are files: node local-api.mjs FOLDER SOCKET
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [folder = '', socket = ''] = process.argv.slice(2)
const files = { '/localapi/v0/status': 'status.json', '/localapi/v0/serve-config': 'serve.json' }
rmSync(socket, { force: true })
createServer((request, response) => {
  try {
    response.end(readFileSync(join(folder, files[request.url] ?? 'none')))
  } catch {
    response.writeHead(500).end()
  }
}).listen(socket)
