/**
 * Archives as tar: ustar headers, and pax records for what does not fit into them.
 * @see POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 * @module
 */
import { type Header, type Pack, pack } from 'tar-stream'
import { toLatin1 } from '../base/bytes.js'
import { type ArchiveEntry, archiveName } from './archive-entry.js'

/** The greatest time that tar-stream writes as it is: it takes seconds for 32-bit numbers. */
const GREATEST_TIME = 2 ** 31 - 1

/** The bytes of an archive. */
export async function* tarOf(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  const tar = pack()
  const feeding = feed(tar, entries)
  try {
    for await (const chunk of tar) yield chunk as Uint8Array
    await feeding
  } finally {
    tar.destroy() // where the reader has had enough
  }
}

async function feed(tar: Pack, entries: AsyncIterable<ArchiveEntry>): Promise<void> {
  try {
    for await (const entry of entries) await add(tar, entry)
    tar.finalize()
  } catch (error) {
    tar.destroy(error as Error)
  }
}

function add(tar: Pack, { name, kind, content, time }: ArchiveEntry): Promise<void> {
  const header: Partial<Header> & Pick<Header, 'name'> = {
    name,
    mode: kind === 'symlink' ? 0o777 : kind === 'file' ? 0o644 : 0o755,
    type: kind === 'executable' ? 'file' : kind,
    mtime: new Date(Math.min(time, GREATEST_TIME) * 1000),
    uname: 'root',
    gname: 'root',
    ...(kind === 'symlink' && { linkname: archiveName(toLatin1(content), name) }),
    ...(time > GREATEST_TIME && { pax: { mtime: String(time) } }),
  }
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve())
    if (kind === 'file' || kind === 'executable') tar.entry(header, content, done)
    else tar.entry(header, done)
  })
}
