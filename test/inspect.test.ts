/**
 * The key-value level: every entry can be seen, in words, and named by what is seen.
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Repository, StoreEntry } from '../src/index.js'
import { describeValue } from '../src/repo/entry-text.js'
import { formatKey, parseKey, rangeOfText } from '../src/repo/key-text.js'
import { fixture } from './support/corpus.js'
import { type Imported, imported, importedFrom } from './support/imported.js'
import { anyBytes, holds } from './support/property.js'

async function scan(repo: Repository, prefix: string): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = []
  for await (const entry of repo.store.scan(prefix)) entries.push(entry)
  return entries
}

for (const name of ['small', 'oddities', 'odd-trees', 'hostile']) {
  describe(`the entries of ${name}`, () => {
    let source: Imported
    let entries: StoreEntry[]
    before(async () => {
      source =
        name === 'hostile'
          ? await importedFrom(fixture(name), ['slash-inside', 'backslash', 'link-nul'])
          : await imported(name)
      await using repo = await source.open()
      await repo.snapshots
        .create('a snapshot')
        .catch((error: { code?: string }) => assert.equal(error.code, 'NAME_TAKEN'))
      entries = await scan(repo, '')
    })

    it('are all seen, each once, none of them malformed', async () => {
      await using repo = await source.open()
      const stat = await repo.store.stat()
      assert.equal(stat.entries, entries.length)
      assert.equal(new Set(entries.map(({ key }) => key)).size, entries.length)
      for (const { key, value } of entries) {
        assert.doesNotMatch(key, /^0x/)
        assert.doesNotMatch(value, /^malformed/, key)
      }
    })

    it('can be had by their keys', async () => {
      await using repo = await source.open()
      for (const entry of entries) assert.deepEqual(await repo.store.get(entry.key), entry)
    })

    it('are counted by kind', async () => {
      await using repo = await source.open()
      const { kinds, loose, pages, bytes, format } = await repo.store.stat()
      assert.deepEqual(
        kinds.map(({ kind }) => kind),
        [...new Set(entries.map(({ key }) => key[0]))],
      )
      for (const { kind, entries: count, bytes: size } of kinds) {
        const own = entries.filter(({ key }) => key.startsWith(kind))
        assert.equal(count, own.length)
        assert.ok(size >= own.reduce((sum, entry) => sum + entry.bytes, 0) + count * 9)
      }
      assert.ok(loose > 0 && pages > 0 && bytes > 1000)
      assert.equal(format, 1)
    })

    it('are found by any beginning of their keys', async () => {
      await using repo = await source.open()
      const keys = entries.map(({ key }) => key)
      const some = keys.filter((_, i) => i % Math.ceil(keys.length / 12) === 0)
      const prefixes = new Set([
        'L',
        'L/',
        'P/',
        'P',
        'V/0',
        'R/tag',
        'R/',
        'I/git/',
        'X',
        'Z',
        'l',
        '0',
        'L/zz',
        'P/"',
      ])
      for (const key of some)
        for (const part of [1, 0.8, 0.6, 0.4]) prefixes.add(key.slice(0, Math.ceil(key.length * part)))
      for (const prefix of prefixes) {
        const found = (await scan(repo, prefix)).map(({ key }) => key)
        assert.deepEqual(
          found,
          keys.filter((key) => key.startsWith(prefix)),
          JSON.stringify(prefix),
        )
      }
    })
  })
}

describe('an entry', () => {
  let entries: StoreEntry[]
  before(async () => {
    await using repo = await (await imported('oddities')).open()
    entries = await scan(repo, '')
  })

  it('that is not there is an error', async () => {
    await using repo = await (await imported('oddities')).open()
    for (const key of ['', 'V/000000-1', 'nonsense', 'L/', 'P/no/such/path/000001-1', '0x00', 'K/zzzzzz']) {
      await assert.rejects(repo.store.get(key), { code: 'KEY_UNKNOWN', blame: 'user' }, key)
    }
  })

  const cases: [kind: string, key: RegExp, value: RegExp][] = [
    ['genesis', /^K\/000000$/, /^repository [0-9a-f]{64}$/],
    ['version', /^V\/\w{6}-\w+$/, /^version [0-9a-f]{64}\nstream \w{6}, seqs \d+ to \d+\nafter \w{6}-\w+ /],
    ['groups', /^G\/\w{6}-\w+$/, /^[A-Z]\/\S.* [0-9a-f]{8}\n/],
    [
      'path',
      /^P\/.+\/\w{6}-\w+$/s,
      /^(100644 file \w{6}-\w+, \d+ bytes in (lines|chunks), sha256 \w{64}|deleted, was)/,
    ],
    ['run', /^L\/\w{6}-\w+\/[0-9a-f]+$/, /./s],
    ['tombstone', /^L\/\w{6}-\w+\/[0-9a-f]+\/\w{6}-\w+$/, /^deletes lines? \d+/],
    ['recipe', /^B\/\w{6}-\w+\/\w{6}-\w+$/, /^chunk [0-9a-f]{64}\n/],
    ['chunk', /^C\/[0-9a-f]{64}\/\w{6}-\w+$/, /^\d+ bytes: [0-9a-f]+/],
    ['ref', /^R\/branch\/.+\/\w{6}-\w+$/, /^version \w{6}-\w+ [0-9a-f]{64}\n/],
    ['index', /^I\/git\/[0-9a-f]{16}\/\w{6}-\w+$/, /^$/],
    ['vector', /^X\/\w{6}-\w+$/, /^\w{6}-\w+\n/],
  ]
  for (const [kind, key, value] of cases) {
    it(`of kind ${kind} reads well`, () => {
      const found = entries.filter((entry) => entry.kind === kind && key.test(entry.key))
      assert.ok(
        found.some((entry) => value.test(entry.value)),
        `${found[0]?.key}: ${found[0]?.value}`,
      )
    })
  }

  it('of lines is the lines', () => {
    assert.ok(entries.some(({ kind, value }) => kind === 'run' && value.startsWith('exact, sentence 1, which says')))
  })

  it('that is malformed is shown in hex, and says why', () => {
    const text = describeValue(Buffer.from('P\x00a\x00\x00\x00\x00\x00\x00\x00\x01', 'latin1'), Uint8Array.of(1, 2, 3))
    assert.match(text, /^malformed: .*\n010203$/)
  })
})

describe('keys as text', () => {
  const letter = fc.constantFrom(...'BCGIKLPRVXZ')
  const key = fc
    .tuple(letter, fc.uint8Array({ maxLength: 24 }))
    .map(([kind, rest]) => Buffer.concat([Buffer.from(kind), rest]))

  it('come back, whatever the bytes', () => {
    holds(
      fc.property(fc.oneof(key, anyBytes(40)), (bytes) => {
        assert.ok(Buffer.compare(parseKey(formatKey(bytes)) ?? Buffer.of(), bytes) === 0, formatKey(bytes))
      }),
      2000,
    )
  })

  it('lie in the range of each of their beginnings', () => {
    holds(
      fc.property(key, fc.nat(60), (bytes, length) => {
        const range = rangeOfText(formatKey(bytes).slice(0, length))
        assert.ok(range !== undefined)
        assert.ok(range.gte === undefined || Buffer.compare(range.gte, bytes) <= 0)
        assert.ok(range.lt === undefined || Buffer.compare(bytes, range.lt) < 0)
      }),
      2000,
    )
  })
})
