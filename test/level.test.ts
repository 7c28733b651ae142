import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromLatin1, toHex } from '../src/base/bytes.js'
import type { CodedError } from '../src/base/error.js'
import { EntryStore } from '../src/lseq/entries.js'
import { damagedFiles, lastingDamage } from '../src/lseq/files.js'
import { openLevelStore } from '../src/lseq/level.js'
import type { Operation, Store } from '../src/lseq/store.js'
import { crashEntries, crashOptions } from './suites/crash.js'

const scratch = await mkdtemp(join(tmpdir(), 'weft-level-'))
after(() => rm(scratch, { recursive: true, force: true }))

let count = 0
const fresh = (): string => join(scratch, String(count++))

const CHILD = ['--import', 'tsx', fileURLToPath(new URL('suites/level-child.ts', import.meta.url))]

function child(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...CHILD, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
}

const put = (key: string, value: Uint8Array): Operation => ({ type: 'put', key: fromLatin1(key), value })

/** Bytes that do not compress, the same every time. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** Small and large values in two tables, and a log. */
async function exampleStore(): Promise<string> {
  const directory = fresh()
  {
    await using store = await openLevelStore(directory)
    const small = Array.from({ length: 800 }, (_, i) => put(`k${i * 2}`, fromLatin1(`value number ${i}`)))
    const large = Array.from({ length: 6 }, (_, i) => put(`p${i}`, noise(20_000 * (i + 1), i)))
    await store.batch([...small, ...large])
    await store.compact()
    await store.batch(Array.from({ length: 800 }, (_, i) => put(`k${i * 2 + 1}`, fromLatin1(`odd ${i}`))))
  }
  await using store = await openLevelStore(directory)
  for (let i = 0; i < 30; i++) await store.batch([put(`log${i}`, noise(3000, i))], { sync: true })
  return directory
}

const base = await exampleStore()

function copy(): string {
  const directory = fresh()
  cpSync(base, directory, { recursive: true })
  return directory
}

const namesIn = (directory: string, extension: RegExp): string[] =>
  readdirSync(directory).filter((name) => extension.test(name))

/** Names and contents of everything, to see that nothing was touched. */
const contents = (directory: string): string[] =>
  readdirSync(directory).map((name) => `${name} ${toHex(readFileSync(join(directory, name)))}`)

async function sizeOf(store: Store): Promise<number> {
  let found = 0
  for await (const keys of store.keys()) found += keys.length
  return found
}

describe('LevelDB store: opening', () => {
  it('makes a store, also in folders that are not there', async () => {
    const directory = join(fresh(), 'a', 'b')
    await using store = await openLevelStore(directory)
    assert.equal(await sizeOf(store), 0)
  })

  it('says that there is none, and makes nothing', async () => {
    const directory = fresh()
    await assert.rejects(openLevelStore(directory, { create: false }), { code: 'STORE_MISSING' })
    assert.ok(!existsSync(directory))
    mkdirSync(directory)
    await assert.rejects(openLevelStore(directory, { create: false }), { code: 'STORE_MISSING' })
    assert.deepEqual(readdirSync(directory), [])
  })

  it('says when a file is where the store should be', async () => {
    const directory = fresh()
    writeFileSync(directory, 'a file')
    await assert.rejects(openLevelStore(directory), { code: 'STORE_IO' })
    await assert.rejects(openLevelStore(directory, { create: false }), { code: 'STORE_IO' })
  })

  it('leaves no log after compaction', async () => {
    const directory = fresh()
    await using store = await openLevelStore(directory)
    await store.batch([put('a', noise(1_000_000, 1))], { sync: true })
    await store.compact()
    const [log = ''] = namesIn(directory, /\.log$/)
    assert.equal(readFileSync(join(directory, log)).length, 0)
    assert.equal(namesIn(directory, /\.ldb$/).length, 1)
  })
})

describe('LevelDB store: lock', () => {
  it('says who holds it', { timeout: 20_000 }, async () => {
    const directory = fresh()
    const holder = child('hold', directory)
    await once(holder.stdout, 'data')
    await assert.rejects(openLevelStore(directory), (error: CodedError) => {
      assert.equal(error.code, 'STORE_LOCKED')
      assert.ok(error.hint)
      if (process.platform === 'linux') {
        assert.equal(error.data?.['pid'], holder.pid)
        assert.match(error.message, new RegExp(`process ${holder.pid}`))
      }
      return true
    })
    let waits = 0
    const begin = performance.now()
    await assert.rejects(openLevelStore(directory, { wait: 150, onWait: () => waits++ }), { code: 'STORE_LOCKED' })
    assert.ok(performance.now() - begin >= 150)
    assert.equal(waits, 1)

    const opening = openLevelStore(directory, { wait: 15_000, onWait: () => holder.stdin.write('go\n') })
    await (await opening).close()
    holder.stdin.end()
  })

  it('is not taken for damage while its holder writes', { timeout: 60_000 }, async () => {
    const directory = fresh()
    const holder = child('write', directory, '1')
    await once(holder.stdout, 'data')
    for (let i = 0; i < 15; i++) {
      await assert.rejects(openLevelStore(directory), { code: 'STORE_LOCKED' })
      assert.deepEqual(await lastingDamage(directory), [])
    }
    holder.kill('SIGKILL')
    await once(holder, 'close')
    await (await openLevelStore(directory)).close()
  })

  it('goes free when its holder is killed', { timeout: 20_000 }, async () => {
    const directory = fresh()
    const holder = child('hold', directory)
    await once(holder.stdout, 'data')
    const opening = openLevelStore(directory, { wait: 15_000, onWait: () => holder.kill('SIGKILL') })
    await (await opening).close()
  })

  it('is not shared within one process', async () => {
    const directory = fresh()
    await using first = await openLevelStore(directory)
    await assert.rejects(openLevelStore(directory), { code: 'STORE_LOCKED' })
    assert.equal(await sizeOf(first), 0)
  })

  it('is waited for no longer than the caller wants', async () => {
    const directory = fresh()
    await using _first = await openLevelStore(directory)
    const stop = new AbortController()
    const opening = openLevelStore(directory, { wait: 15_000, signal: stop.signal, onWait: () => stop.abort() })
    await assert.rejects(opening, { name: 'AbortError' })
    await assert.rejects(openLevelStore(directory, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  })
})

/** Runs a shell command in mounts of its own, where that is allowed: the whole machine does not see them. */
function mounted(script: string): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', 'unshare -rm sh -ec "$0"', script], { encoding: 'utf8' })
  return { status, out: `${stdout}${stderr}` }
}
const cannotMount = mounted('mount -t tmpfs tmpfs /mnt').status === 0 ? false : 'this user may not mount anything'
const run = `exec '${process.execPath}' ${CHILD.map((arg) => `'${arg}'`).join(' ')}`

describe('LevelDB store: disks', () => {
  it('says that it is read-only', { skip: cannotMount }, () => {
    const directory = copy()
    const { out } = mounted(
      `mount --bind ${scratch} ${scratch}; mount -o remount,ro,bind ${scratch}; ${run} open ${directory}`,
    )
    assert.equal(out, 'STORE_READONLY\n')
  })

  it('says that the disk is full, writes no more then, and keeps what was acknowledged', { skip: cannotMount }, () => {
    mkdirSync(join(scratch, 'small'))
    const { out } = mounted(`mount -t tmpfs -o size=3m tmpfs ${scratch}/small; ${run} fill ${scratch}/small/store`)
    assert.equal(out, 'STORE_FULL\nSTORE_FULL\nall there\n')
  })
})

describe('LevelDB store: damage', () => {
  /** Files of the example, by kind; each one missing is found, and nothing changed. */
  for (const [kind, pattern] of [
    ['CURRENT', /^CURRENT$/],
    ['MANIFEST', /^MANIFEST/],
    ['a table', /\.ldb$/],
    ['the log', /\.log$/],
  ] as const) {
    it(`refuses a store without ${kind}`, async () => {
      for (const name of namesIn(base, pattern)) {
        const directory = copy()
        rmSync(join(directory, name))
        const before = contents(directory)
        await assert.rejects(openLevelStore(directory), (error: CodedError) => {
          assert.equal(error.code, 'STORE_CORRUPT')
          assert.equal(error.data?.['file'], name)
          assert.ok(error.hint)
          return true
        })
        assert.deepEqual(contents(directory), before)
      }
    })
  }

  it('refuses a store whose files were cut, but not one whose last record was', async () => {
    const [log = ''] = namesIn(base, /\.log$/)
    for (const name of readdirSync(base).filter((name) => !name.startsWith('LO'))) {
      const directory = copy()
      truncateSync(join(directory, name), readFileSync(join(directory, name)).length - 1)
      if (name !== log) await assert.rejects(openLevelStore(directory), { code: 'STORE_CORRUPT' }, name)
      else {
        await using store = await openLevelStore(directory)
        assert.equal(await sizeOf(store), 1606 + 29)
      }
    }
  })

  it('refuses a bad record in the log that sound ones follow', async () => {
    const directory = copy()
    const path = join(directory, namesIn(directory, /\.log$/)[0] ?? '')
    const bytes = readFileSync(path)
    for (const at of [20, 40_000]) {
      const harmed = Uint8Array.from(bytes)
      harmed[at] = (harmed[at] as number) ^ 1
      writeFileSync(path, harmed)
      await assert.rejects(openLevelStore(directory), { code: 'STORE_CORRUPT' })
    }
    writeFileSync(path, bytes)
    await (await openLevelStore(directory)).close()
  })

  it('refuses a MANIFEST that has lost its end, before LevelDB deletes what that had named', async () => {
    const directory = copy()
    const [name = ''] = namesIn(directory, /^MANIFEST/)
    const bytes = readFileSync(join(directory, name))
    const before = namesIn(directory, /\.ldb$/)
    let refused = 0
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(join(directory, name), bytes.subarray(0, length))
      assert.ok(damagedFiles(directory).length > 0, `${length} of ${bytes.length}`)
      refused++
    }
    assert.equal(refused, bytes.length)
    assert.deepEqual(namesIn(directory, /\.ldb$/), before)
  })

  it('finds any flipped bit when it reads everything', () => {
    assert.deepEqual(damagedFiles(base), [])
    const directory = copy()
    let state = 1
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (const name of namesIn(directory, /\.ldb$|^MANIFEST|^CURRENT$/)) {
      const path = join(directory, name)
      const bytes = readFileSync(path)
      for (let i = 0; i < 150; i++) {
        const at = i < 75 ? random(bytes.length) : bytes.length - 1 - random(Math.min(bytes.length, 500))
        // Between the handles and the mark in a table's footer are bytes that mean nothing.
        const footer = bytes.length - at
        if (name.endsWith('.ldb') && footer > 8 && footer <= 48) continue
        const harmed = Uint8Array.from(bytes)
        harmed[at] = (harmed[at] as number) ^ (1 << random(8))
        writeFileSync(path, harmed)
        assert.ok(
          damagedFiles(directory).some(({ file }) => file === name || name === 'CURRENT'),
          `${name} at ${at}`,
        )
      }
      writeFileSync(path, bytes)
    }
  })

  it('survives damage of any kind anywhere: an error with a code, or a store that can be read', {
    timeout: 120_000,
  }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...CHILD, 'harm', base, '0', '50'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${stdout.slice(-500)}\n${stderr}`)
    const results = stdout.trim().split('\n')
    assert.equal(results.length, 50)
    for (const line of results) assert.match(line, /: (readable|STORE_CORRUPT)$/)
    assert.ok(results.some((line) => line.endsWith('readable')))
  })
})

describe('LevelDB store: killed', () => {
  it('keeps every entry that was acknowledged, and whole pages', { timeout: 120_000 }, async () => {
    const directory = fresh()
    for (let seed = 1; seed <= 6; seed++) {
      const writer = child('write', directory, String(seed))
      let out = ''
      writer.stdout.on('data', (data) => {
        out += data
      })
      await once(writer.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, 20 + ((seed * 7919) % 400)))
      writer.kill('SIGKILL')
      await once(writer, 'close')
      const acknowledged = out.trim().split('\n').length
      assert.equal(out.trim().split('\n').at(-1), String(acknowledged - 1))

      await using entries = new EntryStore(await openLevelStore(directory, { wait: 5000 }), crashOptions)
      const found = new Map<string, string>()
      const damage: string[] = []
      for await (const batch of entries.scan({ onDamage: ({ detail }) => damage.push(detail) })) {
        for (const { key, value } of batch) found.set(toHex(key), toHex(value))
      }
      assert.deepEqual(damage, [])
      for (let round = 0; round < acknowledged; round++) {
        for (const { key, value } of crashEntries(seed, round)) {
          assert.equal(found.get(toHex(key)), toHex(value), `seed ${seed}, round ${round} of ${acknowledged}`)
        }
      }
      for (let round = acknowledged; round < acknowledged + 2; round++) {
        const mark = await entries.store.get(fromLatin1(`m${round}`))
        if (mark === undefined) continue
        for (const { key } of crashEntries(seed, round)) assert.ok(found.has(toHex(key)), 'what is marked is there')
      }
      await entries.store.clear({ gte: fromLatin1('m'), lt: fromLatin1('n') })
    }
  })
})
