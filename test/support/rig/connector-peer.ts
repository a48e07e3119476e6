/**
 * Kajabi, token endpoint and Gmail in one, as far as a look needs them. Notes the account of who asks: the kernel says
 * whose a socket is.
 */
export const connectorPeer = `
const { createServer } = require('node:http')
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs')
const server = createServer((request, response) => {
  const from = '0100007F:' + request.socket.remotePort.toString(16).toUpperCase().padStart(4, '0')
  const table = readFileSync('/proc/net/tcp', 'utf8').split('\\n').map((line) => line.trim().split(/ +/))
  const fields = table.find((each) => each[1] === from)
  appendFileSync('/run/asked', (fields ? fields[7] : 'nobody') + ' ' + request.url + '\\n')
  const scope = 'https://www.googleapis.com/auth/gmail.readonly'
  const token = { access_token: 'rig-access-0815-4711', token_type: 'Bearer', expires_in: 60, scope }
  if (request.url.startsWith('/admin')) {
    const isSignedIn = (request.headers.cookie || '').includes('sid=rig-session-0815-4711')
    if (!isSignedIn) return response.writeHead(302, { location: '/login' }).end()
    const page = '<title>Products</title><a href="/admin/products/1">One</a>'
    return response.writeHead(200, { 'content-type': 'text/html' }).end(page)
  }
  const message = { id: 'ff', threadId: 'ff', payload: { headers: [{ name: 'Subject', value: 'Hello' }] } }
  const profile = { emailAddress: 'rig@example.test' }
  const answers = { token, profile, messages: { messages: [{ id: 'ff' }] }, ff: message }
  const body = answers[new URL(request.url, 'http://peer').pathname.split('/').pop()]
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(0, '127.0.0.1', () => writeFileSync('/run/peer-port', String(server.address().port)))`
