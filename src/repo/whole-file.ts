/**
 * A file that is there whole or not at all: written beside its place, and renamed at the end.
 * @module
 */
import { lstat, open, rename, rm } from 'node:fs/promises'
import { diskError } from './disk-error.js'

/**
 * Writes chunks into a file, over one that is there. What is no file (a pipe, a device, a link) is written into as it is.
 *
 * @returns How many bytes were written.
 * @throws {CodedError} `DISK_*`, and others where the directory is not there.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const there = await lstat(path).catch(() => undefined)
  const beside = there === undefined || there.isFile()
  const written = beside ? `${path}.${process.pid}.new` : path
  let bytes = 0
  try {
    await using file = await opened(written, path)
    for await (const chunk of chunks) {
      await file.writeFile(chunk).catch((error) => {
        throw diskError(error, path)
      })
      bytes += chunk.length
    }
  } catch (error) {
    if (beside) await rm(written, { force: true })
    throw error
  }
  if (beside) {
    await rename(written, path).catch((error) => {
      throw diskError(error, path)
    })
  }
  return bytes
}

function opened(written: string, path: string): ReturnType<typeof open> {
  return open(written, 'w').catch((error) => {
    throw diskError(error, path)
  })
}
