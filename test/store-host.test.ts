/**
 * A store through the process that has it open: the contract of all stores, over a real socket; bytes that make no sense,
 * connections cut at any byte, hosts and clients that go away, whose turn it is, and what the host remembers.
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { EntryStore } from '../src/lseq/entries.js'
import { openLevelStore } from '../src/lseq/level.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import { MESSAGE_LIMIT, type Message, readMessages } from '../src/lseq/message-stream.js'
import type { Operation, Store } from '../src/lseq/store.js'
import {
  encodeDone,
  encodeError,
  encodeHello,
  encodePairs,
  encodeRequest,
  encodeSign,
  encodeValues,
  parseAnswer,
  parseHello,
  parseRequest,
  type Request,
} from '../src/lseq/store-message.js'
import { type HostedStore, hostStore, reachStore } from '../src/lseq/store-socket.js'
import { Turn } from '../src/lseq/turn.js'
import { storeSuite } from './suites/store.js'
import { anyBytes, holds, holdsAsync } from './support/property.js'
import { quick, temporary } from './support/temp.js'

const open: AsyncDisposable[] = []
after(async () => {
  for (const each of open.reverse()) await each[Symbol.asyncDispose]()
})

/** A path for a socket, in a directory of its own that is not there yet. */
const newPlace = (): string => join(quick('host'), 'server', 'socket')

/** Hosts a store until the tests end. */
async function hosted(
  store: Store,
  turn = new Turn(),
  place = newPlace(),
): Promise<{ place: string; host: HostedStore }> {
  const host = await hostStore(store, place, { turn })
  open.push(store, host)
  return { place, host }
}

/** Uses the store at a place, which must be free. */
async function reached(place: string): Promise<Store> {
  const locked = (): never => assert.fail('somebody has the turn')
  return (await reachStore(place, { onLocked: locked })) ?? assert.fail('nobody hosts the store')
}

const put = (key: string, value: string): Operation => ({ type: 'put', key: fromLatin1(key), value: fromLatin1(value) })

/** All there is, as text. */
async function text(store: Store): Promise<string> {
  const found: string[] = []
  for await (const batch of store.scan()) for (const [k, v] of batch) found.push(`${toLatin1(k)}=${toLatin1(v)}`)
  return found.join(' ')
}

storeSuite('in memory, through a socket', {
  open: async () => reached((await hosted(await openMemoryStore())).place),
})

const places = new WeakMap<Store, [directory: string, socket: string]>()
async function through(directory: string, socket: string): Promise<Store> {
  const store = await openLevelStore(directory, { create: false, socket })
  places.set(store, [directory, socket])
  return store
}
storeSuite('LevelDB, through a socket', {
  open: async () => {
    const directory = quick('store')
    return through(directory, (await hosted(await openLevelStore(directory))).place)
  },
  reopen: (closed) => through(...(places.get(closed) ?? assert.fail())),
})

// ## Messages

async function* chunks(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function messagesIn(parts: Iterable<Uint8Array>): Promise<Message[]> {
  const found: Message[] = []
  for await (const message of readMessages(chunks(parts))) found.push(message)
  return found
}

/** Runs a parser; anything but a result or `BAD_RECORD` fails. */
function isTotal(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === 'BAD_RECORD', String(error))
  }
}

const number = fc.nat(1000)
const bytes = fc.uint8Array({ maxLength: 300 })
const range = fc.record({ gt: bytes, gte: bytes, lt: bytes, lte: bytes }, { requiredKeys: [] })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key: bytes, value: bytes }),
  fc.record({ type: fc.constant('del' as const), key: bytes }),
)
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), number, keys: fc.array(bytes) }),
  fc.record({ kind: fc.constant('write' as const), number, operations: fc.array(operation) }),
  fc.record({ kind: fc.constant('batch' as const), number, sync: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('clear' as const, 'size' as const), number, range }),
  fc.record({ kind: fc.constantFrom('next' as const, 'end' as const, 'compact' as const), number }),
  fc
    .record({ keysOnly: fc.boolean(), reverse: fc.boolean(), limit: number, batchBytes: number, number, range })
    .map(({ keysOnly, number, range, ...options }) => {
      return { kind: 'scan' as const, number, keysOnly, options: { ...options, ...range } }
    }),
)

describe('messages about a store', () => {
  it('say what was asked, however the stream is cut into pieces', async () => {
    await holdsAsync(
      fc.asyncProperty(fc.array(request, { maxLength: 5 }), fc.array(fc.nat(400)), async (requests, cuts) => {
        const whole = concatBytes(...requests.map(encodeRequest))
        const parts: Uint8Array[] = []
        let at = 0
        for (const size of cuts) {
          parts.push(whole.slice(at, at + size))
          at += size
        }
        parts.push(whole.slice(at))
        const found = (await messagesIn(parts.filter(({ length }) => length > 0))).map(parseRequest)
        // Those that are made here have no prototype.
        assert.deepEqual(found, structuredClone(requests))
      }),
      100,
    )
  })

  it('are refused or understood, whatever the bytes', () => {
    const letter = fc.constantFrom(...([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'] as Message['letter'][]))
    holds(
      fc.property(letter, anyBytes(40), (letter, body) => {
        isTotal(() => parseRequest({ letter, body }))
        isTotal(() => parseHello({ letter, body }))
        isTotal(() => parseAnswer({ letter, body }))
      }),
      2000,
    )
  })

  it('are no longer than the limit, and take no memory before they are there', async () => {
    const header = (length: number): Uint8Array =>
      Uint8Array.of(0x57, length & 255, (length >> 8) & 255, (length >> 16) & 255, length >>> 24)
    for (const length of [MESSAGE_LIMIT - 4, 0x7fff_ffff, 0xffff_ffff]) {
      await assert.rejects(messagesIn([header(length)]), { code: 'BAD_RECORD' })
      await assert.rejects(messagesIn([header(length).subarray(0, 3), header(length).subarray(3)]), {
        code: 'BAD_RECORD',
      })
    }
    const before = process.memoryUsage().arrayBuffers
    const reading = readMessages(
      (async function* () {
        yield header(MESSAGE_LIMIT - 5)
        yield new Uint8Array(1 << 17)
        assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 22)
      })(),
    )
    assert.equal((await reading.next()).done, true)
  })
})

// ## Hostile and broken connections

/** What a client says that writes three keys in one batch, in two parts. */
const hello = encodeHello()
const conversation = [
  hello,
  encodeRequest({ kind: 'write', number: 1, operations: [put('a', '1'), put('b', '2')] }),
  encodeRequest({ kind: 'write', number: 1, operations: [put('c', '3')] }),
  encodeRequest({ kind: 'batch', number: 1, sync: false }),
]

/** Sends bytes as a client does, once it is let in, then cuts the connection, and waits until the host has noticed. */
async function talk(place: string, turn: Turn, said: Uint8Array, cut: 'end' | 'destroy'): Promise<void> {
  const socket = connect({ path: place, allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(said.subarray(0, hello.length))
  if (said.length > hello.length) {
    // Only what comes behind a hello can be too early.
    if (Buffer.compare(said.subarray(0, hello.length), hello) === 0) await once(socket, 'data')
    socket.write(said.subarray(hello.length))
  }
  socket.end()
  if (cut === 'destroy') setImmediate(() => socket.destroy())
  if (!socket.closed) await once(socket, 'close')
  await (await turn.take())()
}

/** A store of which some methods are others. */
function changed(store: Store, methods: Partial<Store>): Store {
  const get = (_: Store, name: keyof Store): unknown => {
    const method: unknown = methods[name] ?? store[name]
    return typeof method === 'function' ? method.bind(store) : method
  }
  return new Proxy(store, { get } as ProxyHandler<Store>)
}

describe('hosting a store', () => {
  it('writes a batch whole or not at all, wherever the connection is cut', async () => {
    const whole = concatBytes(...conversation)
    for (let length = 0; length <= whole.length; length++) {
      const store = await openMemoryStore()
      const turn = new Turn()
      const { place } = await hosted(store, turn)
      await talk(place, turn, whole.subarray(0, length), 'end')
      assert.equal(
        await text(store),
        length === whole.length ? 'a=1 b=2 c=3' : '',
        `${length} of ${whole.length} bytes`,
      )
    }
  })

  it('survives any bytes, gives the turn back, and writes nothing that was not said', async () => {
    const store = await openMemoryStore()
    const turn = new Turn()
    const { place } = await hosted(store, turn)
    const whole = concatBytes(...conversation)
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) })
    await holdsAsync(
      fc.asyncProperty(fc.array(change, { maxLength: 3 }), anyBytes(50), fc.boolean(), async (changes, tail, end) => {
        const said = concatBytes(whole, tail)
        for (const { at, to } of changes) said[at] = to
        await talk(place, turn, said, end ? 'end' : 'destroy')
        const found = (await text(store)).split(' ').filter((pair) => pair !== '')
        assert.ok(found.length === 0 || found.length === 3 || changes.length > 0, found.join(' '))
        await store.clear()
      }),
      150,
    )
    await using client = await reached(place)
    await client.batch([put('still', 'there')])
    assert.equal(await text(store), 'still=there')
  })

  it('does not listen to who speaks before the turn', async () => {
    const store = await openMemoryStore()
    const turn = new Turn()
    const { place } = await hosted(store, turn)
    const release = await turn.take()
    const socket = connect(place)
    socket.on('error', () => undefined)
    socket.write(concatBytes(...conversation))
    socket.resume()
    await once(socket, 'close')
    release()
    assert.equal(await text(store), '')
  })

  it('passes on what the store refuses, with code, hint and data', async () => {
    const full = new CodedError('STORE_FULL', 'The disk is full.', {
      hint: 'Free some space.',
      data: { directory: '/x' },
    })
    const memory = await openMemoryStore()
    const store = changed(memory, {
      batch: () => Promise.reject(full),
      compact: () => Promise.reject(new Error('odd')),
    })
    const { place } = await hosted(store)
    await using client = await reached(place)
    const { code, message, hint, data } = full
    await assert.rejects(client.batch([put('a', '1')]), { code, message, hint, data })
    await assert.rejects(client.compact(), { code: 'STORE_IO', message: /odd/ })
    assert.equal(await client.get(fromLatin1('a')), undefined)
  })

  it('passes values and batches of many megabytes, and many requests at a time', async () => {
    const { place } = await hosted(await openMemoryStore())
    await using client = await reached(place)
    const value = new Uint8Array(3 << 20).map((_, i) => i >> 5)
    const keys = Array.from({ length: 20 }, (_, i) => fromLatin1(`k${String(i).padStart(2, '0')}`))
    await client.batch(keys.map((key) => ({ type: 'put', key, value })))
    const found = await Promise.all(Array.from({ length: 60 }, (_, i) => client.get(keys[i % 20] ?? assert.fail())))
    assert.ok(found.every((each) => Buffer.compare(each ?? fromLatin1(''), value) === 0))
    const many = await client.getMany(Array.from({ length: 10_000 }, (_, i) => keys[i % 5000] ?? fromLatin1('none')))
    assert.equal(many.filter((each) => each !== undefined).length, 40)
  })

  it('finishes what is under way when the client closes', async () => {
    const { place } = await hosted(await openMemoryStore())
    const client = await reached(place)
    const value = new Uint8Array(1 << 20)
    const keys = Array.from({ length: 30 }, (_, i) => fromLatin1(String(i)))
    const written = client.batch(keys.map((key) => ({ type: 'put', key, value })))
    await client.close()
    await written
    await using again = await reached(place)
    assert.equal((await again.getMany(keys)).filter((each) => each?.length === 1 << 20).length, 30)
  })

  it('lets go of scans that are left, and of those of a client that has gone', async () => {
    const memory = await openMemoryStore()
    await memory.batch(Array.from({ length: 100 }, (_, i) => put(String(i), 'x')))
    let held = 0
    const store = changed(memory, {
      async *scan(options) {
        held++
        try {
          for await (const batch of memory.scan(options)) for (const pair of batch) yield [pair]
        } finally {
          held--
        }
      },
    })
    const turn = new Turn()
    const { place } = await hosted(store, turn)
    const client = await reached(place)
    for (let i = 0; i < 5; i++) for await (const _ of client.scan({ batchBytes: 0 })) break
    for (let i = 0; i < 5; i++) for await (const _ of client.scan({ limit: 3 }));
    await client.approximateSize()
    assert.equal(held, 0)
    const scans = Array.from({ length: 5 }, () => client.scan({ batchBytes: 0 })[Symbol.asyncIterator]())
    for (const scan of scans) await scan.next()
    assert.equal(held, 5)
    await client.close()
    assert.equal(held, 0)
    assert.equal(turn.taken, false)
  })
})

/** Stands between a client and a host, passes on so many bytes of what the host says, then cuts both. */
async function between(place: string, most: number): Promise<{ place: string; server: Server }> {
  const server = createServer((socket) => {
    const other = connect(place)
    let left = most
    const cut = (): void => {
      socket.destroy()
      other.destroy()
    }
    for (const each of [socket, other]) each.on('error', cut).on('close', cut)
    socket.on('data', (data) => other.write(data))
    other.on('data', (data: Buffer) => {
      socket.write(data.subarray(0, left), () => left <= 0 && cut())
      left -= data.length
    })
  })
  const path = join(dirname(place), `between-${most}`)
  server.listen(path)
  await once(server, 'listening')
  return { place: path, server }
}

/** A host that says what it is told to, whatever it hears. */
async function liar(said: Uint8Array): Promise<{ place: string; server: Server }> {
  const place = newPlace()
  mkdirSync(dirname(place), { mode: 0o700 })
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    socket.end(said)
    socket.resume()
  })
  server.listen(place)
  await once(server, 'listening')
  return { place, server }
}

/** Does a little of everything; what fails must fail with a code. */
async function useAll(client: Store): Promise<boolean> {
  const works = [
    () => client.batch([put('x', '1'), put('y', '2')]),
    () => client.get(fromLatin1('x')),
    () => text(client),
    () => client.approximateSize(),
    () => client.clear(),
  ]
  let fine = true
  for (const work of works) {
    try {
      await work()
    } catch (error) {
      fine = false
      assert.ok(error instanceof CodedError && error.code === 'STORE_IO', String(error))
    }
  }
  await client.close()
  await assert.rejects(client.get(fromLatin1('x')), { code: 'STORE_CLOSED' })
  return fine
}

describe('a store of another process', () => {
  it('fails with a code, and never hangs, wherever the host is cut off', async () => {
    const store = await openMemoryStore()
    const { place } = await hosted(store)
    let fine = 0
    for (let most = 1; fine === 0; most++) {
      assert.ok(most < 1000)
      const { place: path, server } = await between(place, most)
      const client = await reachStore(path, {})
      if (client !== undefined && (await useAll(client))) fine++
      const found = await text(store)
      assert.ok(found === '' || found === 'x=1 y=2', found)
      await store.clear()
      server.close()
    }
  })

  it('fails with a code, and never hangs, whatever the host says', async () => {
    const answers = concatBytes(
      encodeHello(1),
      encodeSign('T'),
      encodeDone(1),
      encodeValues(2, [fromLatin1('1')]),
      encodeDone(2),
      encodePairs(3, [[fromLatin1('x'), fromLatin1('1')]]),
      encodePairs(3, []),
      encodeDone(4, 20),
      encodeError(5, new CodedError('STORE_IO', 'No.', { data: { no: 1 } })),
    )
    const change = fc.record({ at: fc.nat(answers.length - 1), to: fc.nat(255) })
    await holdsAsync(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat(answers.length), async (changes, length) => {
        const said = answers.slice(0, length)
        for (const { at, to } of changes) if (at < length) said[at] = to
        const { place, server } = await liar(said)
        try {
          const client = await reachStore(place, {}).catch((error: unknown) => {
            assert.ok(error instanceof CodedError, String(error))
            return undefined
          })
          for (const work of client === undefined ? [] : [() => client.get(fromLatin1('x')), () => text(client)]) {
            await work().catch((error: unknown) => assert.ok(error instanceof CodedError, String(error)))
          }
          await client?.close()
        } finally {
          server.close()
        }
      }),
      150,
    )
  })

  it('says so where the host is another version', async () => {
    const { place, server } = await liar(Uint8Array.of(0x68, 2, 0x31, 9))
    await assert.rejects(reachStore(place, {}), { code: 'STORE_LOCKED', message: /another version/ })
    server.close()
  })
})

// ## Turns

describe('turns', () => {
  it('come one at a time, in order, and those who left are passed over', async () => {
    const turn = new Turn()
    const order: number[] = []
    let inside = 0
    const gone = new AbortController()
    const work = (i: number) => async (): Promise<void> => {
      assert.equal(++inside, 1)
      await new Promise(setImmediate)
      order.push(i)
      inside--
      if (i === 1) gone.abort(new Error('left'))
    }
    const all = [0, 1, 2, 3, 4].map((i) => turn.run(work(i), i === 3 ? gone.signal : undefined))
    await assert.rejects(all[3] ?? assert.fail(), /left/)
    await Promise.all(all.filter((_, i) => i !== 3))
    assert.deepEqual(order, [0, 1, 2, 4])
    assert.equal(turn.taken, false)
    await assert.rejects(turn.take(gone.signal), /left/)
    await assert.rejects(
      turn.run(() => Promise.reject(new Error('failed'))),
      /failed/,
    )
    const release = await turn.take()
    release()
    release()
    const other = await turn.take()
    release()
    assert.equal(turn.taken, true)
    other()
  })

  it('of connections are waited for as for the lock', async () => {
    const directory = quick('store')
    const { place } = await hosted(await openLevelStore(directory))
    const first = await openLevelStore(directory, { socket: place })
    let waits = 0
    const onWait = (): number => waits++
    await assert.rejects(openLevelStore(directory, { socket: place, onWait }), {
      code: 'STORE_LOCKED',
      message: /another command/,
    })
    const begin = performance.now()
    await assert.rejects(openLevelStore(directory, { socket: place, wait: 120, onWait }), (error: CodedError) => {
      assert.equal(error.code, 'STORE_LOCKED')
      assert.equal(error.data?.['pid'], process.pid)
      return true
    })
    assert.ok(performance.now() - begin >= 110)
    assert.equal(waits, 1)
    const stop = new AbortController()
    const stopped = openLevelStore(directory, {
      socket: place,
      wait: 15_000,
      signal: stop.signal,
      onWait: () => stop.abort(),
    })
    await assert.rejects(stopped, { name: 'AbortError' })
    const second = openLevelStore(directory, { socket: place, wait: 15_000, onWait: () => void first.close() })
    await (await second).close()
  })

  it('of the host hold connections off', async () => {
    const turn = new Turn()
    const { place } = await hosted(await openMemoryStore(), turn)
    const release = await turn.take()
    let locked = 0
    const client = reachStore(place, {
      onLocked: () => {
        locked++
        release()
      },
    })
    await (await client)?.close()
    assert.equal(locked, 1)
  })

  it('end when the host does: who waits gets the store itself, who has the turn gets some time', async () => {
    const directory = quick('store')
    const store = await openLevelStore(directory)
    const { place, host } = await hosted(store)
    const first = await openLevelStore(directory, { socket: place })
    let closing: Promise<void> | undefined
    let waits = 0
    let begun: () => void = () => undefined
    const waiting = new Promise<void>((resolve) => {
      begun = resolve
    })
    const second = openLevelStore(directory, {
      socket: place,
      wait: 30_000,
      onWait: () => {
        waits++
        closing = host
          .close(20_000)
          .then(() => sleep(100))
          .then(() => store.close())
        begun()
      },
    })
    await waiting
    await first.batch([put('a', '1')])
    await first.close()
    await using late = await second
    await closing
    assert.equal(await text(late), 'a=1')
    assert.ok(!existsSync(place))
    assert.equal(waits, 1)
  })

  it('end at last, when their time is over', async () => {
    const { place, host } = await hosted(await openMemoryStore())
    const client = await reached(place)
    await host.close(30)
    await assert.rejects(client.get(fromLatin1('a')), { code: 'STORE_IO' })
    await client.close()
    assert.equal(host.connections, 0)
  })
})

// ## Places

describe('the socket of a store', () => {
  it('is for its owner alone', async () => {
    const { place } = await hosted(await openMemoryStore())
    assert.equal(statSync(place).mode & 0o777, 0o600)
    assert.equal(statSync(dirname(place)).mode & 0o777, 0o700)
    chmodSync(dirname(place), 0o755)
    assert.equal(await reachStore(place, {}), undefined, 'nobody knows who made it')
    chmodSync(dirname(place), 0o700)
    await (await reached(place)).close()
  })

  it('takes the place of what a killed process left there, and is no hindrance where nobody listens', async () => {
    const directory = quick('store')
    const place = newPlace()
    mkdirSync(dirname(place), { mode: 0o700 })
    for (const leave of [
      () => writeFileSync(place, ''),
      () => symlinkSync('/nowhere/at/all', place),
      () => symlinkSync(join(temporary('kept'), 'socket'), place),
    ]) {
      leave()
      await (await openLevelStore(directory, { socket: place })).close()
      const store = await openLevelStore(directory)
      const host = await hostStore(store, place, { turn: new Turn() })
      await (await reached(place)).close()
      await host.close()
      await store.close()
      assert.deepEqual(readdirSync(dirname(place)), [])
    }
  })

  it('is elsewhere where the path is longer than the system takes', async () => {
    const place = join(quick('host'), 'long'.repeat(30), 'server', 'socket')
    const directory = quick('store')
    const store = await openLevelStore(directory)
    const { host } = await hosted(store, new Turn(), place)
    assert.ok(lstatSync(place).isSymbolicLink())
    await (await openLevelStore(directory, { socket: place })).close()
    await host.close()
    assert.equal(lstatSync(place, { throwIfNoEntry: false }), undefined)
  })
})

// ## What the host remembers

describe('entries of a hosted store', () => {
  it('are right whoever writes them', async () => {
    const step = fc.record({
      who: fc.constantFrom('host', 'client'),
      how: fc.constantFrom('put', 'bulk', 'fold'),
      keys: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 8 }),
    })
    const options = { pageBytes: 60, cacheBytes: 1 << 20 }
    const key = (n: number): Uint8Array => fromLatin1(`k${String(n).padStart(2, '0')}12345678`)
    await holdsAsync(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await using store = await openMemoryStore()
        const own = new EntryStore(store, options)
        const turn = new Turn()
        const place = newPlace()
        await using _host = await hostStore(store, place, { turn, write: (work) => own.foreign(work) })
        const wanted = new Set<string>()
        for (const { who, how, keys } of steps) {
          const release = who === 'host' ? await turn.take() : undefined
          const client = who === 'host' ? undefined : await reached(place)
          const entries = client === undefined ? own : new EntryStore(client, options)
          const given = keys.toSorted((a, b) => a - b).map((n) => ({ key: key(n), value: fromLatin1(`v${n}`) }))
          const { generation } = own
          if (how === 'fold') await entries.fold()
          else if (how === 'put') await entries.put(given)
          else
            await entries.bulk(async (writer) => {
              for (const { key, value } of given) await writer.add(key, value)
              return undefined
            })
          await client?.close()
          release?.()
          if (how !== 'fold') {
            for (const { key } of given) wanted.add(toHex(key))
            assert.notEqual(own.generation, generation)
          }
          const found: string[] = []
          for await (const batch of own.scan()) for (const { key } of batch) found.push(toHex(key))
          assert.deepEqual(found, [...wanted].sort())
          for (const n of [0, 7, 30, ...keys]) {
            assert.equal((await own.get(key(n))) !== undefined, wanted.has(toHex(key(n))), `${who} ${how} ${n}`)
          }
        }
      }),
      60,
    )
  })
})
