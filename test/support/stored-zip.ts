import { crc32 } from 'node:zlib'

/** A zip archive of one file that is not compressed (APPNOTE 4.3). */
export function storedZip(name: string, content: Buffer): Buffer {
  const path = Buffer.from(name)
  const about = Buffer.alloc(26)
  about.writeUInt16LE(20, 0)
  about.writeUInt32LE(crc32(content), 10)
  about.writeUInt32LE(content.length, 14)
  about.writeUInt32LE(content.length, 18)
  about.writeUInt16LE(path.length, 22)
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), about, path, content])
  const entry = Buffer.concat([
    Buffer.from('PK\u0001\u0002\u0014\0'),
    about,
    Buffer.alloc(14),
    path,
  ])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(entry.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, entry, Buffer.from('PK\u0005\u0006'), end])
}
