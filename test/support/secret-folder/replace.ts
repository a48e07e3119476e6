// Replaces one secret, for a test that ends this program in the middle of it.
import { SecretFolder } from '#ops/features/connectors/common/secret-folder'

const [etc = '', content = ''] = process.argv.slice(2)
await SecretFolder.open({ etc }, { strict: true }, (folder) =>
  folder.write('secret.json', Buffer.from(content)),
)
