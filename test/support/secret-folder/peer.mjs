// A Kajabi and a Google for a host without network, on one port: every secret that names `good` is accepted.
import { createServer } from 'node:http'

const [port] = process.argv.slice(2)
createServer((request, answer) => {
  const json = (status, value) =>
    answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  let body = ''
  request.on('data', (bytes) => (body += bytes))
  request.on('end', () => {
    if (request.url === '/token')
      return body.includes('good')
        ? json(200, { access_token: 'good-access-token', token_type: 'bearer', expires_in: 60 })
        : json(400, { error: 'invalid_grant' })
    if (request.url === '/gmail/v1/users/me/profile')
      return json(200, { emailAddress: 'ada@example.test' })
    if ((request.headers.cookie ?? '').includes('good'))
      return answer.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Dashboard</h1>')
    return answer.writeHead(302, { location: '/login' }).end()
  })
}).listen(Number(port), '127.0.0.1')
