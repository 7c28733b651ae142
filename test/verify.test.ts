/**
 * Verification, entry by entry: whatever is changed, taken away, added or signed falsely is found and named.
 *
 * Works on the entries in memory, so that every single one can have its turn. Random changes through the store and the
 * command line are in `tamper.test.ts`.
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import type { Damage } from '../src/history/findings.js'
import { beginStream, decodeGenesis } from '../src/history/genesis.js'
import { decodeVersion, encodeHeader, encodeVersion, type Version, type VersionRef } from '../src/history/header.js'
import {
  chunkKey,
  FILE_PREFIX_BYTES,
  genesisKey,
  groupsKey,
  isTombstoneKey,
  linesPrefix,
  pathKey,
  recipePrefix,
  refKey,
  tombstoneKey,
  versionKey,
  withLseq,
} from '../src/history/keys.js'
import { decodePathEntry, encodePathPut, type PathPut } from '../src/history/path-entry.js'
import { encodeRefValue } from '../src/history/refs.js'
import type { Signer } from '../src/history/signer.js'
import type { Verified } from '../src/history/verify.js'
import { openIdentity } from '../src/index.js'
import { encodeOrigins } from '../src/lines/origin.js'
import { runPosition } from '../src/lines/position.js'
import { encodeRanges } from '../src/lines/tombstone.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey, readLseq } from '../src/lseq/lseq.js'
import {
  type Entries,
  entriesOf,
  hexOf,
  holderOf,
  ofKind,
  pathsOf,
  rootOf,
  sign,
  verified,
  versionsIn,
} from './support/forge.js'
import { imported } from './support/imported.js'
import { random } from './support/random.js'
import { HOME } from './support/weft.js'

const chance = random('verify')

/** The entries as they were imported; tests work on copies. */
let whole: Entries
let versions: Version[]
let signer: Signer

before(async () => {
  const { open } = await imported('small')
  await using repo = await open()
  whole = await entriesOf(repo.entries)
  versions = versionsIn(whole)
  signer = (await openIdentity(HOME)).signer
})

/** What verify says of a copy that `change` has spoilt. */
async function spoilt(change: (entries: Entries) => void, quick = false): Promise<Verified> {
  const entries: Entries = new Map(whole)
  change(entries)
  return verified(entries, quick)
}

/** Damage, one line each, for failing tests. */
function told({ damage }: Verified): string {
  return damage.map((one) => JSON.stringify(one)).join('\n')
}

function expectDamage(report: Verified, what: string, wanted: (one: Damage) => boolean): void {
  assert.equal(report.ok, false, what)
  assert.ok(report.damage.some(wanted), `${what}\n${told(report)}`)
}

const id = (version: Version | undefined): string | undefined => version && toHex(version.id)

/** Whether a damage names the version that an entry is of, and the entry or its group. */
function names(one: Damage, key: string): boolean {
  const isNear = one.key !== undefined && (hexOf(key).startsWith(one.key) || one.key.startsWith(hexOf(key)))
  return one.version === id(holderOf(versions, key)) && isNear
}

/** What must be said of an entry that is no longer what it was. */
function expectNamed(report: Verified, key: string, what: string): void {
  const holder = id(holderOf(versions, key))
  const wanted: Record<string, (one: Damage) => boolean> = {
    G: (one) => one.kind === 'group' && one.version === holder,
    K: (one) => one.kind === 'genesis' || one.kind === 'chain',
    P: (one) => one.path === key.slice(1, -LSEQ_BYTES - 1) && one.version === holder,
    V: (one) => one.key === hexOf(key) || one.kind === 'chain' || one.kind === 'entry',
  }
  const said = `${what} ${JSON.stringify(key)}`
  expectDamage(report, said, wanted[key[0] as string] ?? ((one) => names(one, key)))
  if (key[0] !== 'B' && (key[0] !== 'L' || isTombstoneKey(fromLatin1(key)))) return
  const paths = pathsOf(whole, readLseq(fromLatin1(key), 1))
  expectDamage(report, said, (one) => one.kind === 'content' && paths.includes(one.path ?? ''))
}

describe('verify: whole', () => {
  it('finds nothing, and counts what there is', async () => {
    const report = await verified(whole)
    assert.deepEqual(report.damage, [])
    assert.equal(report.ok, true)
    assert.equal(report.versions, versions.length)
    assert.equal(report.signatures, versions.length)
    assert.equal(report.entries, [...whole.keys()].filter((key) => !'IX'.includes(key[0] as string)).length)
    const puts = ofKind(whole, 'P').flatMap(([, value]) => {
      const entry = decodePathEntry(value)
      return 'file' in entry ? [entry] : []
    })
    assert.equal(report.files, puts.length)
    assert.equal(
      report.bytes,
      puts.reduce((sum, { size }) => sum + size, 0),
    )
  })

  it('there is an entry of every kind, a tombstone too', () => {
    for (const kind of 'BCGIKLPRV') assert.ok(ofKind(whole, kind).length > 0, kind)
    assert.ok(ofKind(whole, 'L').some(([, value]) => (value[0] as number) >> 4 === 3))
  })

  it('trusts no index: without them, and with false ones, it says the same', async () => {
    for (const change of [
      (entries: Entries, key: string) => entries.delete(key),
      (entries: Entries, key: string) => entries.set(key, fromLatin1('false')),
    ]) {
      const report = await spoilt((entries) => {
        for (const [key] of [...ofKind(entries, 'I'), ...ofKind(entries, 'X')]) change(entries, key)
      })
      assert.deepEqual(report.damage, [])
    }
  })
})

describe('verify: every entry', () => {
  for (const kind of 'BCGKLPRV') {
    it(`of kind ${kind}, with a byte changed, is found and named`, async () => {
      for (const [key, value] of ofKind(whole, kind)) {
        const changed = Uint8Array.from(value)
        const at = chance.below(changed.length)
        changed[at] = (changed[at] as number) ^ (1 + chance.below(255))
        expectNamed(await spoilt((entries) => entries.set(key, changed)), key, `byte ${at}, seed ${chance.seed}`)
      }
    })

    it(`of kind ${kind}, taken away, is found and named`, async () => {
      for (const [key] of ofKind(whole, kind).filter((_, i, all) => i % 3 === 0 || i > all.length - 3)) {
        expectNamed(await spoilt((entries) => entries.delete(key)), key, 'gone')
      }
    })
  }
})

describe('verify: foreign entries', () => {
  const hash = 'h'.repeat(32)
  const value = fromLatin1('foreign\n')

  /** Keys that look like others of the repository, given an lseq. */
  function keysAt({ seq, stream }: Lseq): [key: Uint8Array, value: Uint8Array][] {
    const [run = ''] = ofKind(whole, 'L')[0] ?? []
    const file = readLseq(fromLatin1(run), 1)
    const position = fromLatin1(run.slice(FILE_PREFIX_BYTES))
    return [
      [pathKey('foreign', seq, stream), encodePathPut({ ...aPut(), file })],
      [concatBytes(linesPrefix(file), runPosition(undefined, undefined, 'left', seq, stream)), value],
      [tombstoneKey(linesPrefix(file), position, seq, stream), encodeRanges([0, 1])],
      [withLseq(recipePrefix(file), seq, stream), fromLatin1(hash)],
      [chunkKey(crypto.sha256Binary(value), seq, stream), value],
      [refKey('b', 'foreign', seq, stream), encodeRefValue({ replaces: [] })],
    ]
  }

  function aPut(): PathPut {
    const put = ofKind(whole, 'P')
      .map(([, bytes]) => decodePathEntry(bytes))
      .find((entry) => 'file' in entry)
    return put as PathPut
  }

  it('that claim to be of a version are found in it', async () => {
    const holder = versions[3] as Version
    for (const [key, bytes] of keysAt({ seq: holder.first, stream: holder.stream })) {
      const report = await spoilt((entries) => entries.set(toLatin1(key), bytes))
      expectDamage(report, toHex(key), (one) => one.kind === 'group' && one.version === id(holder))
    }
  })

  it('that are of no version are found by their keys', async () => {
    const { last, stream } = versions.at(-1) as Version
    for (const lseq of [
      { seq: last + 1000, stream },
      { seq: 1, stream: stream ^ 1 },
    ]) {
      for (const [key, bytes] of keysAt(lseq)) {
        const report = await spoilt((entries) => entries.set(toLatin1(key), bytes))
        expectDamage(report, toHex(key), (one) => one.kind === 'entry' && one.key === toHex(key))
      }
    }
  })

  it('are a list of groups for a version that has none, or for none', async () => {
    const empty = sign(new Map(whole), signer, versions.at(-1) as Version, () => [])
    for (const [key, bytes] of [
      [groupsKey(empty.last, empty.stream), new Uint8Array(0)],
      [groupsKey(empty.last + 1, empty.stream), fromLatin1('n\x02Pa4abcd')],
    ] as const) {
      const report = await spoilt((entries) => {
        sign(entries, signer, versions.at(-1) as Version, () => [])
        entries.set(toLatin1(key), bytes)
      })
      expectDamage(report, toHex(key), (one) => one.key === toHex(key))
    }
  })

  it('are a genesis at an id that is not its hash', async () => {
    const [, genesis] = ofKind(whole, 'K')[1] as [string, Uint8Array]
    const key = genesisKey(decodeGenesis(genesis).stream ^ 1)
    const report = await spoilt((entries) => entries.set(toLatin1(key), genesis))
    expectDamage(report, 'genesis', (one) => one.kind === 'genesis' && one.key === toHex(key))
  })

  it('are a stream of another repository', async () => {
    const genesis = beginStream(new Uint8Array(32), signer.publicKey, 'content', crypto.randomBytes, () => false)
    const key = genesisKey(genesis.stream)
    const report = await spoilt((entries) => entries.set(toLatin1(key), genesis.value))
    expectDamage(report, 'genesis', (one) => one.kind === 'genesis' && one.key === toHex(key))
  })

  it('are of no known kind', async () => {
    for (const letter of ['\0', 'A', 'Y', 'z', '\xff']) {
      const key = `${letter}${'\x01'.repeat(12)}`
      const report = await spoilt((entries) => entries.set(key, value))
      expectDamage(report, letter, (one) => one.kind === 'entry' && one.key === hexOf(key))
    }
  })
})

describe('verify: chains', () => {
  const keyOf = ({ last, stream }: Version): string => toLatin1(versionKey(last, stream))
  const refOf = ({ last, stream, id: of }: Version): VersionRef => ({ seq: last, stream, id: of })

  /** Three versions in a row of the longest stream, and its last. */
  function row(): [one: Version, two: Version, three: Version, tip: Version] {
    const streams = [...new Set(versions.map(({ stream }) => stream))]
    const byStream = streams.map((stream) => versions.filter((version) => version.stream === stream))
    const longest = byStream.sort((a, b) => b.length - a.length)[0] as Version[]
    return [longest[2], longest[3], longest[4], longest.at(-1)] as [Version, Version, Version, Version]
  }

  it('with two signatures exchanged', async () => {
    const [one, two] = row()
    const report = await spoilt((entries) => {
      entries.set(keyOf(one), encodeVersion(one.headerBytes, two.signature))
      entries.set(keyOf(two), encodeVersion(two.headerBytes, one.signature))
    })
    for (const version of [one, two]) {
      expectDamage(
        report,
        'signature',
        (d) => d.kind === 'signature' && d.version === id(version) && d.key === hexOf(keyOf(version)),
      )
    }
    assert.equal(report.damage.length, 2)
  })

  it('with a version signed by somebody else', async () => {
    const [one] = row()
    const seed = crypto.ed25519.generateSeed(crypto.randomBytes)
    const report = await spoilt((entries) => {
      entries.set(keyOf(one), encodeVersion(one.headerBytes, crypto.ed25519.sign(seed, one.id)))
    })
    expectDamage(report, 'signature', (d) => d.kind === 'signature' && d.version === id(one))
  })

  it('with a header changed and signed again by its own key', async () => {
    const [one, two] = row()
    const report = await spoilt((entries) => {
      const bytes = encodeHeader({ ...one, author: { ...one.author, name: fromLatin1('never seen') } })
      entries.set(keyOf(one), encodeVersion(bytes, signer.sign(crypto.sha256(bytes))))
    })
    expectDamage(report, 'chain', (d) => d.kind === 'chain' && d.version === id(two))
  })

  it('with two versions exchanged', async () => {
    const [one, two] = row()
    const report = await spoilt((entries) => {
      entries.set(keyOf(one), encodeVersion(two.headerBytes, two.signature))
      entries.set(keyOf(two), encodeVersion(one.headerBytes, one.signature))
    })
    for (const version of [one, two]) {
      expectDamage(report, 'chain', (d) => d.kind === 'chain' && d.version === id(version))
    }
  })

  it('with a version withheld, and all that it added', async () => {
    const [, two, three] = row()
    const report = await spoilt((entries) => {
      for (const [key] of entries) if (holderOf([two], key) !== undefined) entries.delete(key)
    })
    expectDamage(report, 'chain', (d) => d.kind === 'chain' && d.version === id(three))
  })

  it('with the last version withheld, and all that it added: a ref still names it', async () => {
    const [, , , tip] = row()
    const report = await spoilt((entries) => {
      for (const [key] of entries) if (holderOf([tip], key) !== undefined) entries.delete(key)
    })
    expectDamage(report, 'ref', (d) => d.kind === 'ref' && d.key !== undefined && d.detail.includes('main'))
  })

  it('that fork: a second version behind one, signed by the same key', async () => {
    const [one] = row()
    let second: Version | undefined
    const report = await spoilt((entries) => {
      second = sign(entries, signer, one, () => [])
    })
    expectDamage(report, 'chain', (d) => d.kind === 'chain' && d.version === id(second))
  })

  it('may be gone on with, and are then whole', async () => {
    const [, , , tip] = row()
    const report = await spoilt((entries) => void sign(entries, signer, tip, () => []))
    assert.deepEqual(report.damage, [])
  })

  const lies: [name: string, lie: (tip: Version, other: Version) => Partial<Version>, kind: string][] = [
    ['a tree root that is not that of its paths', () => ({ tree: new Uint8Array(32) }), 'tree'],
    ['no tree', () => ({ tree: undefined }), 'chain'],
    ['a changes root that is not that of its entries', () => ({ changes: new Uint8Array(32) }), 'changes'],
    ['a parent that is not there', (tip) => ({ parents: [refOf(tip), { ...refOf(tip), seq: tip.last - 1 }] }), 'chain'],
    ['a parent by another id', (tip, other) => ({ parents: [{ ...refOf(other), id: tip.id }] }), 'chain'],
    ['a version before it by another id', (tip, other) => ({ prev: { ...refOf(tip), id: other.id } }), 'chain'],
    ['seqs of the version before it', (tip) => ({ first: tip.last, last: tip.last + 5 }), 'chain'],
    ['seqs not above those of a parent', (tip) => ({ first: tip.last - 1, last: tip.last + 5 }), 'chain'],
    ['a stream that it goes on with and does not know', (_, other) => ({ parents: [refOf(other)] }), 'chain'],
  ]
  for (const [name, lie, kind] of lies) {
    it(`with a version that signs a lie: ${name}`, async () => {
      const [one, , , tip] = row()
      let forged: Version | undefined
      const report = await spoilt((entries) => {
        forged = sign(entries, signer, tip, () => [], lie(tip, one))
      })
      expectDamage(report, name, (d) => d.kind === kind && d.version === id(forged))
    })
  }
})

describe('verify: signed contents', () => {
  const tip = (): Version => versions.filter(({ tree }) => tree !== undefined).at(-1) as Version

  /** A file of lines at the tip: its path and what is known of it. */
  function aFile(): { path: string; put: PathPut } {
    for (const [key, value] of ofKind(whole, 'P').reverse()) {
      const entry = decodePathEntry(value)
      if ('file' in entry && !entry.chunked && entry.size > 0)
        return { path: key.slice(1, -LSEQ_BYTES - 1), put: entry }
    }
    throw new Error('there is no file')
  }

  /** Signs a version with these entries, whose tree root is right. */
  function signed(
    entries: Entries,
    add: (first: number, stream: number) => { key: Uint8Array; value: Uint8Array }[],
  ): Version {
    const after = new Map(entries)
    sign(after, signer, tip(), add)
    return sign(entries, signer, tip(), add, { tree: rootOf(after) })
  }

  it('with an honest version are whole', async () => {
    const { put } = aFile()
    const report = await spoilt((entries) => {
      signed(entries, (first, stream) => {
        const value = fromLatin1('new\n')
        const file = { seq: first, stream }
        const sha256 = crypto.sha256(value)
        return [
          {
            key: pathKey('new', first, stream),
            value: encodePathPut({ ...put, file, size: 4, sha256, chunked: false }),
          },
          { key: lineKey(file, first + 1, stream), value },
        ]
      })
    })
    assert.deepEqual(report.damage, [])
  })

  it('whose hash, size or form is another are found', async () => {
    const { path, put } = aFile()
    for (const lie of [{ sha256: new Uint8Array(32) }, { size: put.size + 1 }, { chunked: true }]) {
      let forged: Version | undefined
      const report = await spoilt((entries) => {
        forged = signed(entries, (first, stream) => [
          { key: pathKey(path, first, stream), value: encodePathPut({ ...put, ...lie }) },
        ])
      })
      expectDamage(report, Object.keys(lie).join(), (d) => d.kind === 'content' && d.path === path)
      assert.ok('chunked' in lie || report.damage.some((d) => d.version === id(forged)), told(report))
    }
  })

  it('with entries that nobody can read are found', async () => {
    const { path, put } = aFile()
    const [run = ''] =
      ofKind(whole, 'L').find(([key]) => lineFile(key) === lineFile(toLatin1(linesPrefix(put.file)))) ?? []
    const position = fromLatin1(run.slice(FILE_PREFIX_BYTES))
    const bad: [name: string, key: (first: number, stream: number) => Uint8Array, value: string][] = [
      ['a tombstone', (first, stream) => tombstoneKey(linesPrefix(put.file), position, first, stream), '\x32\0'],
      ['a path entry', (first, stream) => pathKey(path, first, stream), 'nonsense'],
      ['a run of no lines', (first, stream) => lineKey(put.file, first, stream), ''],
    ]
    for (const [name, key, value] of bad) {
      let forged: Uint8Array | undefined
      const report = await spoilt((entries) => {
        sign(entries, signer, tip(), (first, stream) => {
          forged = key(first, stream)
          return [{ key: forged, value: fromLatin1(value) }]
        })
      })
      expectDamage(report, name, (d) => d.kind === 'entry' && d.key === toHex(forged as Uint8Array))
    }
  })

  it('with lines that claim to be somebody else’s are found', async () => {
    const { path, put } = aFile()
    const [theirs = ''] =
      ofKind(whole, 'L').find(([key]) => lineFile(key) === lineFile(toLatin1(linesPrefix(put.file)))) ?? []
    const origin = { from: 0, to: 1, ...lseqOfKey(fromLatin1(theirs)) }
    const value = fromLatin1('they never wrote this\n')
    for (const of of [origin, { ...origin, seq: 1 }, { ...origin, to: 9 }]) {
      let beside: Uint8Array | undefined
      const report = await spoilt((entries) => {
        signed(entries, (first, stream) => {
          const file = { seq: first, stream }
          const run = lineKey(file, first + 1, stream)
          beside = tombstoneKey(linesPrefix(file), run.subarray(FILE_PREFIX_BYTES), first + 2, stream)
          const sha256 = crypto.sha256(value)
          const entry: PathPut = { ...put, file, size: value.length, sha256, chunked: false }
          return [
            { key: pathKey(`${path}.copy`, first, stream), value: encodePathPut(entry) },
            { key: run, value },
            { key: beside, value: encodeOrigins([of]) },
          ]
        })
      })
      expectDamage(
        report,
        JSON.stringify(of),
        (d) => d.kind === 'origin' && hexOf(toLatin1(beside as Uint8Array)).startsWith(d.key ?? '?'),
      )
    }
  })

  /** The beginning of a file's line keys. */
  function lineFile(key: string): string {
    return key.slice(0, FILE_PREFIX_BYTES)
  }

  function lineKey(file: Lseq, seq: number, stream: number): Uint8Array {
    return concatBytes(linesPrefix(file), runPosition(undefined, undefined, 'left', seq, stream))
  }
})

describe('verify: quick', () => {
  it('finds any header that was changed, for it is hashed by the next or signed as a tip', async () => {
    for (const [key, value] of ofKind(whole, 'V')) {
      const { headerBytes, signature } = decodeVersion(value)
      const changed = Uint8Array.from(headerBytes)
      const at = changed.length - 1 - chance.below(20)
      changed[at] = (changed[at] as number) ^ 1
      const report = await spoilt((entries) => entries.set(key, encodeVersion(changed, signature)), true)
      assert.equal(report.ok, false, `${hexOf(key)} byte ${at}, seed ${chance.seed}`)
    }
  })

  it('finds a false signature of a tip, and looks at no other', async () => {
    const last = new Map(versions.map((version) => [version.stream, version]))
    for (const version of versions) {
      const key = toLatin1(versionKey(version.last, version.stream))
      const forged = encodeVersion(version.headerBytes, new Uint8Array(64))
      const report = await spoilt((entries) => entries.set(key, forged), true)
      assert.equal(report.ok, last.get(version.stream) !== version)
      assert.equal(report.signatures, last.size)
    }
  })

  it('looks at no lines and no contents', async () => {
    const [key] = ofKind(whole, 'L')[0] as [string, Uint8Array]
    const report = await spoilt((entries) => entries.set(key, fromLatin1('other\n')), true)
    assert.deepEqual(report.damage, [])
    assert.equal(report.files, 0)
  })
})
