/** What the laptop uses of the connectors: the form that the host expects of a captured login. */
export { secretIssues } from './common/read-secret.ts'
export { requestPeer } from './common/request-peer.ts'
export { isAtOrBelow, isSentTo } from './kajabi/signed-in.ts'
export { kajabiLogin } from './kajabi/login.ts'
export { readProfile } from './gmail/profile.ts'
export { type ImapServer, imapLogin } from './gmail/imap-login.ts'
export {
  endOfToken,
  grantProblem,
  oauthErrorOf,
  oauthPeer,
  refuseOverload,
  repeatable,
} from './gmail/oauth-peer.ts'
export { gmailClient, gmailImap, gmailToken } from './gmail/secrets.ts'
