/**
 * The web server with a conversation that only repeats what it hears: who is let in, what is found, limits, slow and broken
 * clients, and how it ends. No process is started; `serve.test.ts` does that.
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { Repository } from '../src/repo/repository.js'
import { formatAccess } from '../src/server/access-log.js'
import type { Conversation } from '../src/server/conversation.js'
import { HTTP_LIMITS, type HttpLimits, type RunningServer } from '../src/server/http-server.js'
import { OpenRepositories } from '../src/server/open-repositories.js'
import { GoneError, Patience } from '../src/server/patience.js'
import { addressName, isLoopback, RateLimit } from '../src/server/rate-limit.js'
import { isOpenLine, type ServeHttpOptions, serveHttp, serveStream } from '../src/server/serve.js'
import { ServedRepository } from '../src/server/served-repository.js'
import { repositoryAt, servedRoot } from '../src/server/served-root.js'
import { addToken, findToken, listTokens, removeToken } from '../src/server/tokens.js'
import type { Permission } from '../src/sync/answer.js'
import { commit } from '../src/worktree/commit.js'
import { initRepository } from '../src/worktree/init.js'
import { makeCertificate } from './support/certificate.js'
import { holds } from './support/property.js'
import { quick } from './support/temp.js'
import { HOME } from './support/weft.js'
import { AUTHOR, edit, withWork } from './support/work-repo.js'

const TYPE = 'application/x-weft-sync'

/** A folder with repositories `a` and `deep/b`, others beside it, and links of all sorts. */
async function makeFolder(): Promise<string> {
  const base = quick('served')
  const folder = join(base, 'folder')
  for (const at of ['folder/a', 'folder/deep/b', 'outside']) {
    mkdirSync(join(base, at), { recursive: true })
    await initRepository(join(base, at), 'main', { home: HOME })
  }
  mkdirSync(join(folder, 'plain'))
  mkdirSync(join(folder, '.weft', 'hidden'), { recursive: true })
  await initRepository(join(folder, '.weft', 'hidden'), 'main', { home: HOME })
  mkdirSync(join(folder, 'borrowed', '.weft'), { recursive: true })
  symlinkSync(join(base, 'outside', '.weft', 'store'), join(folder, 'borrowed', '.weft', 'store'))
  symlinkSync(join(base, 'outside'), join(folder, 'escape'))
  symlinkSync('a', join(folder, 'alias'))
  symlinkSync('../..', join(folder, 'deep', 'up'))
  mkdirSync(join(base, 'back', '.weft'), { recursive: true })
  symlinkSync(join(folder, 'a', '.weft', 'store'), join(base, 'back', '.weft', 'store'))
  symlinkSync(join(base, 'back'), join(folder, 'round'))
  return folder
}

/** What was said to a conversation that repeats what it hears. */
interface Heard {
  readonly root: string
  readonly permission: Permission
}

interface Started {
  readonly server: RunningServer
  readonly heard: Heard[]
  readonly lines: string[]
}

const running = new Set<RunningServer>()
after(async () => {
  for (const server of running) await server.close(0)
})

async function start(
  directory: string,
  options: Partial<Omit<ServeHttpOptions, 'root' | 'limits'>> & { limits?: Partial<HttpLimits> } = {},
): Promise<Started> {
  const heard: Heard[] = []
  const lines: string[] = []
  const converse: Conversation = async ({ repository }, exchange, permission) => {
    heard.push({ root: repository.root, permission })
    for await (const bytes of exchange.read) await exchange.write(bytes)
    await exchange.end()
  }
  const server = await serveHttp({
    root: await servedRoot(directory, '/'),
    home: HOME,
    converse,
    host: '127.0.0.1',
    port: 0,
    openRead: false,
    insecure: false,
    log: (line) => lines.push(line),
    ...options,
    limits: { ...HTTP_LIMITS, ...options.limits },
  })
  running.add(server)
  return { server, heard, lines }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly code: string | undefined
}

/** Settles when a connection is over, whoever ended it. */
function over(socket: Socket): Promise<void> {
  return new Promise(
    (resolve) => void (socket.closed ? resolve() : socket.on('error', () => undefined).once('close', resolve)),
  )
}

/** One request, whole. */
async function ask(
  server: RunningServer,
  path: string,
  { body = 'hello', token, ...options }: RequestOptions & { body?: string | Buffer; token?: string } = {},
): Promise<Answer> {
  const send = server.url.startsWith('https') ? requestTls : request
  const sent = send({
    host: server.address,
    port: server.port,
    path,
    method: 'POST',
    agent: false,
    rejectUnauthorized: false,
    ...options,
    headers: {
      'content-type': TYPE,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(options.headers as Record<string, string>),
    },
  } as RequestOptions)
  sent.end(options.method === 'GET' || options.method === 'HEAD' ? undefined : body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  const bytes = Buffer.concat(parts)
  const isJson = response.headers['content-type']?.startsWith('application/json') === true && bytes.length > 0
  const parsed = isJson ? (JSON.parse(bytes.toString()) as { error?: { code: string; message: string } }) : {}
  assert.doesNotMatch(bytes.toString('latin1'), /\n\s+at /)
  return { status: response.statusCode ?? 0, headers: response.headers, body: bytes, code: parsed.error?.code }
}

describe('tokens', () => {
  it('are shown once, kept hashed, found, listed and removed', async () => {
    const root = quick('tokens')
    assert.deepEqual(await listTokens(root), [])
    const now = new Date('2026-11-21T04:00:00Z')
    const ana = await addToken(root, 'write', 'ana', now)
    const other = await addToken(root, 'read', undefined, now)
    assert.match(ana.token, /^weft_[A-Za-z0-9_-]{43}$/)
    assert.equal(other.name, 'token-1')
    const directory = join(root, '.weft', 'tokens')
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    for (const name of readdirSync(directory)) {
      assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
      const text = readFileSync(join(directory, name), 'utf8')
      for (const { token } of [ana, other]) assert.ok(!text.includes(token.slice(5)) && !name.includes(token.slice(5)))
    }
    const { token: _, ...info } = ana
    assert.deepEqual(await findToken(root, ana.token), info)
    assert.deepEqual(
      (await listTokens(root)).map(({ name, access, created }) => [name, access, created]),
      [
        ['ana', 'write', '2026-11-21T04:00:00.000Z'],
        ['token-1', 'read', '2026-11-21T04:00:00.000Z'],
      ],
    )
    for (const wrong of ['', 'weft_', `${ana.token}x`, ana.token.slice(0, -1), ana.id, '../../identity']) {
      assert.equal(await findToken(root, wrong), undefined)
    }
    await assert.rejects(addToken(root, 'read', 'ana', now), { code: 'NAME_TAKEN' })
    for (const name of ['', 'two words', 'x\n', 'x'.repeat(65), '../x']) {
      await assert.rejects(addToken(root, 'read', name, now), { code: 'NAME_BAD' })
    }
    await removeToken(root, 'ana')
    assert.equal(await findToken(root, ana.token), undefined)
    await assert.rejects(removeToken(root, 'ana'), { code: 'TOKEN_UNKNOWN' })
  })

  it('that are damaged let nobody in', async () => {
    const root = quick('tokens')
    const { token } = await addToken(root, 'read', undefined, new Date())
    const directory = join(root, '.weft', 'tokens')
    const [file = ''] = readdirSync(directory)
    const text = readFileSync(join(directory, file), 'utf8')
    for (const wrong of ['', text.replace('read', 'root'), text.trimEnd(), `${text}${text}`]) {
      writeFileSync(join(directory, file), wrong)
      await assert.rejects(findToken(root, token), { code: 'TOKEN_DAMAGED' })
    }
  })
})

describe('what is served', () => {
  it('is what the path leads to within the root, and nothing else', async () => {
    const folder = await makeFolder()
    const root = await servedRoot(folder, '/')
    assert.equal(root.kind, 'folder')
    const found: Record<string, string> = {
      '/a': 'a',
      '/a/': 'a',
      '//a': 'a',
      '/%61': 'a',
      '/alias': 'a',
      '/deep/b': 'deep/b',
      '/deep/up/folder/a': 'a',
    }
    for (const [path, at] of Object.entries(found))
      assert.equal(await repositoryAt(root, path), join(root.path, at), path)
    for (const path of [
      '',
      '/',
      '/none',
      '/plain',
      '/escape',
      '/borrowed',
      '/.weft/hidden',
      '/round',
      '/deep/up/outside',
      '/deep',
      '/../outside',
      '/a/../a',
      '/%2e%2e/outside',
      '/a%2f..%2fa',
      '/.%2e/outside',
      '/deep%5cb',
      '/a%00',
      '/%',
      '/%ff',
      '/a/.weft',
      '/a/.WEFT',
      '/./a',
    ]) {
      assert.equal(await repositoryAt(root, path), undefined, path)
    }
    const single = await servedRoot(join(folder, 'a'), '/')
    assert.equal(single.kind, 'repository')
    assert.equal(await repositoryAt(single, ''), single.path)
    assert.equal(await repositoryAt(single, '/a'), undefined)
    assert.deepEqual(await servedRoot(undefined, join(folder, 'a', '.weft')), single)
    assert.equal((await servedRoot(undefined, join(folder, 'plain'))).kind, 'folder')
    await assert.rejects(servedRoot('nowhere', folder), { code: 'DIR_NOT_FOUND' })
    await assert.rejects(servedRoot('.weft/head', join(folder, 'a')), { code: /DIR_NOT_FOUND|DIR_IS_FILE/ })
  })

  it('is never outside of the root, whatever the path', async () => {
    const root = await servedRoot(await makeFolder(), '/')
    const part = fc.oneof(
      fc.constantFrom(
        'a',
        'deep',
        'b',
        'up',
        'folder',
        'escape',
        'outside',
        'alias',
        '..',
        '.',
        '',
        '%2e%2e',
        '%2f',
        '.weft',
      ),
      fc.string({ maxLength: 4 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 7 }), async (parts) => {
        const found = await repositoryAt(root, `/${parts.join('/')}`)
        assert.ok(found === undefined || [join(root.path, 'a'), join(root.path, 'deep', 'b')].includes(found), found)
      }),
      { numRuns: 400 },
    )
  })
})

describe('the rate limit', () => {
  it('lets a burst through, then so many a minute, for each name by itself', () => {
    const limit = new RateLimit(60, 3)
    for (let i = 0; i < 3; i++) assert.equal(limit.take('x', 1000), 0)
    assert.equal(limit.take('x', 1000), 1000)
    assert.equal(limit.take('y', 1000), 0)
    assert.equal(limit.take('x', 1500), 500)
    assert.equal(limit.take('x', 2000), 0)
    assert.equal(limit.take('x', 2000), 1000)
    for (let i = 0; i < 3; i++) assert.equal(limit.take('x', 3_600_000), 0)
    assert.ok(limit.take('x', 3_600_000) > 0)
  })

  it('is never exceeded, and never forgets who comes often', () => {
    holds(
      fc.property(fc.array(fc.nat(2000), { maxLength: 200 }), (gaps) => {
        const limit = new RateLimit(60, 5)
        let [now, let_in] = [0, 0]
        for (const gap of gaps) {
          now += gap
          if (limit.take('x', now) === 0) let_in++
        }
        assert.ok(let_in <= 5 + now / 1000)
      }),
    )
    const limit = new RateLimit(1, 1)
    limit.take('often', 0)
    for (let i = 0; i < 100_000; i++) {
      limit.take(`other ${i}`, 0)
      if (i % 10_000 === 0) assert.ok(limit.take('often', 0) > 0)
    }
    assert.ok(limit.size <= 20_000)
  })

  it('takes the addresses of one network for one', () => {
    assert.equal(addressName('::ffff:10.0.0.1'), '10.0.0.1')
    assert.equal(addressName('10.0.0.1'), '10.0.0.1')
    assert.equal(addressName('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::')
    assert.equal(addressName('2001:db8:1:2::9'), '2001:db8:1:2::')
    assert.equal(addressName('2001:db8::9'), '2001:db8:0:0::')
    assert.equal(addressName('fe80::1%eth0'), 'fe80:0:0:0::')
    assert.equal(addressName('::1'), '0:0:0:0::')
    for (const own of ['127.0.0.1', '127.3.4.5', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(own), own)
    for (const other of ['10.0.0.1', '0.0.0.0', '::', '128.127.0.1', undefined]) assert.ok(!isLoopback(other), other)
  })
})

describe('patience', () => {
  it('is a while at a time, a while in all, and more for more bytes', async () => {
    let clock = 0
    const now = (): number => clock
    const patience = new Patience({ milliseconds: 60_000, bytesPerSecond: 1000 })
    const never = new Promise<void>(() => undefined)
    const slow = (took: number): Promise<void> =>
      Promise.resolve().then(() => {
        clock += took
      })
    await patience.wait(slow(50_000), now)
    await patience.wait(slow(9_999), now)
    // There is a millisecond left; were it a minute again, this would take one.
    await assert.rejects(patience.wait(never, now), GoneError)
    patience.moved(1_000_000)
    await patience.wait(slow(1_000_000), now)
    await assert.rejects(patience.wait(never, now), GoneError)
    await assert.rejects(patience.wait(Promise.reject(new Error('other')), now), /other/)
  })
})

describe('the log', () => {
  it('has one line for a request, whatever the client sends', () => {
    const access = {
      time: new Date('2026-11-21T04:00:00Z'),
      address: '127.0.0.1',
      method: 'POST',
      path: '/a\n\u001b[31mb/sync',
      status: 200,
      received: 5,
      sent: 7,
      milliseconds: 12.4,
      token: 'ana',
    }
    assert.equal(
      formatAccess(access),
      '2026-11-21T04:00:00.000Z 127.0.0.1 POST /a%0a%1b[31mb/sync 200 in 5 out 7 12 ms ana',
    )
    assert.ok(formatAccess({ ...access, path: 'x'.repeat(10_000) }).length < 400)
  })
})

describe('the web server', () => {
  it('lets in by tokens: no, wrong, reading, writing, of the folder, of a repository, with and without --open-read', async () => {
    const folder = await makeFolder()
    const now = new Date()
    const tokens: Record<string, string | undefined> = {
      none: undefined,
      wrong: `weft_${'x'.repeat(43)}`,
      read: (await addToken(folder, 'read', 'r', now)).token,
      write: (await addToken(folder, 'write', 'w', now)).token,
      readA: (await addToken(join(folder, 'a'), 'read', 'r', now)).token,
      writeB: (await addToken(join(folder, 'deep', 'b'), 'write', 'w', now)).token,
      outside: (await addToken(join(folder, '..', 'outside'), 'write', 'w', now)).token,
    }
    /** For `/a/sync`, `/deep/b/sync` and `/none/sync`: the status, or what may be done. */
    const closed: Record<string, readonly (number | 'r' | 'rw')[]> = {
      none: [401, 401, 401],
      wrong: [401, 401, 401],
      read: ['r', 'r', 404],
      write: ['rw', 'rw', 404],
      readA: ['r', 401, 401],
      writeB: [401, 'rw', 401],
      outside: [401, 401, 401],
    }
    const open = { ...closed, none: ['r', 'r', 404] as const }
    for (const [openRead, matrix] of [
      [false, closed],
      [true, open],
    ] as const) {
      const { server, heard } = await start(folder, { openRead })
      for (const [name, row] of Object.entries(matrix)) {
        for (const [i, path] of ['/a/sync', '/deep/b/sync', '/none/sync'].entries()) {
          heard.length = 0
          const token = tokens[name]
          const answer = await ask(server, path, token === undefined ? {} : { token })
          const said = `${name} ${path} ${openRead}: ${answer.body}`
          const wanted = row[i]
          if (typeof wanted === 'number') {
            assert.equal(answer.status, wanted, said)
            assert.equal(heard.length, 0, said)
            if (wanted === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer realm="weft"')
          } else {
            assert.equal(answer.status, 200, said)
            assert.equal(answer.headers['content-type'], TYPE)
            assert.equal(answer.body.toString(), 'hello')
            assert.deepEqual(heard[0]?.permission, { read: true, write: wanted === 'rw' }, said)
          }
        }
      }
    }
  })

  it('sees tokens come and go', async () => {
    const root = join(await makeFolder(), 'a')
    const { server, lines } = await start(root)
    assert.equal((await ask(server, '/sync')).code, 'TOKEN_NEEDED')
    const { token } = await addToken(root, 'read', 'ana', new Date())
    assert.equal((await ask(server, '/sync', { token })).status, 200)
    assert.equal((await ask(server, '/sync', { headers: { authorization: `bearer   ${token}` } })).status, 200)
    assert.equal((await ask(server, '/sync', { headers: { authorization: `Basic ${token}` } })).code, 'TOKEN_REFUSED')
    await removeToken(root, 'ana')
    assert.equal((await ask(server, '/sync', { token })).code, 'TOKEN_REFUSED')
    assert.ok(lines.every((line) => !line.includes(token)))
    assert.match(lines[1] ?? '', /^\S+ 127\.0\.0\.1 POST \/sync 200 in 5 out 5 \d+ ms ana$/)
  })

  it('says whether it is well, and refuses whatever is no exchange', async () => {
    const { server } = await start(await makeFolder(), { openRead: true })
    const health = await ask(server, '/healthz', { method: 'GET' })
    assert.deepEqual([health.status, health.body.toString()], [200, '{"ok":true}\n'])
    assert.equal((await ask(server, '/healthz?x=1', { method: 'HEAD' })).status, 200)
    assert.equal((await ask(server, '/a/sync?x=1')).status, 200)
    const cases: [path: string, options: object, status: number, code: string][] = [
      ['/a/sync', { method: 'GET' }, 405, 'METHOD_UNKNOWN'],
      ['/a/sync', { method: 'PUT' }, 405, 'METHOD_UNKNOWN'],
      ['/a/sync', { headers: { 'content-type': 'text/plain' } }, 415, 'TYPE_UNKNOWN'],
      ['/a', {}, 404, 'REPO_NOT_FOUND'],
      ['/', {}, 404, 'REPO_NOT_FOUND'],
      ['/sync', {}, 404, 'REPO_NOT_FOUND'],
      ['/escape/sync', {}, 404, 'REPO_NOT_FOUND'],
      ['/%2e%2e/outside/sync', {}, 404, 'REPO_NOT_FOUND'],
      ['/../outside/sync', {}, 404, 'REPO_NOT_FOUND'],
      ['/healthz', {}, 404, 'REPO_NOT_FOUND'],
      ['/.weft/store/sync', {}, 404, 'REPO_NOT_FOUND'],
    ]
    for (const [path, options, status, code] of cases) {
      const answer = await ask(server, path, options)
      assert.deepEqual([answer.status, answer.code], [status, code], path)
    }
  })

  it('passes megabytes both ways at once, with no more in memory than moves', async () => {
    const { server } = await start(join(await makeFolder(), 'a'), { openRead: true })
    const sent = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/sync',
      method: 'POST',
      agent: false,
      headers: { 'content-type': TYPE },
    })
    sent.write('first')
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const [first] = (await once(response, 'data')) as [Buffer]
    assert.equal(first.toString(), 'first', 'the answer begins before the request has ended')
    response.pause()
    // Nobody reads: after a while nobody can write any more.
    const block = Buffer.alloc(1 << 20)
    let written = 0
    const stalled = async (): Promise<boolean> => {
      if (sent.write(block)) return false
      const timer = AbortSignal.timeout(500)
      return once(sent, 'drain', { signal: timer }).then(
        () => false,
        () => true,
      )
    }
    for (; !(await stalled()); written++) assert.ok(written < 64, 'it takes whatever comes')
    sent.end()
    let received = 0
    for await (const part of response as AsyncIterable<Buffer>) received += part.length
    assert.equal(received, (written + 1) << 20)
  })

  it('refuses what is too long, said or not', async () => {
    const { server, heard } = await start(join(await makeFolder(), 'a'), {
      openRead: true,
      limits: { bodyBytes: 1000 },
    })
    assert.equal((await ask(server, '/sync', { body: Buffer.alloc(1000) })).status, 200)
    heard.length = 0
    const said = await ask(server, '/sync', { body: Buffer.alloc(1001) })
    assert.deepEqual([said.status, said.code, heard.length], [413, 'BODY_TOO_LARGE', 0])
    const unsaid = await ask(server, '/sync', { body: Buffer.alloc(1001), headers: { 'transfer-encoding': 'chunked' } })
    assert.deepEqual([unsaid.status, unsaid.code, heard.length], [413, 'BODY_TOO_LARGE', 1])
    const long = await ask(server, '/sync', { body: Buffer.alloc(20 << 20) })
    assert.equal(long.status, 413, 'the answer arrives although it was not read')
  })

  it('refuses too many, from one address and at a time', async () => {
    const root = join(await makeFolder(), 'a')
    const { server } = await start(root, { openRead: true, limits: { requestsPerMinute: 3 } })
    for (let i = 0; i < 3; i++) assert.equal((await ask(server, '/sync')).status, 200)
    const fourth = await ask(server, '/sync')
    assert.deepEqual([fourth.status, fourth.code], [429, 'TOO_MANY_REQUESTS'])
    assert.ok(Number(fourth.headers['retry-after']) > 0)
    assert.equal((await ask(server, '/healthz', { method: 'GET' })).status, 200)

    if (process.platform === 'linux') {
      // Whoever has many addresses has one token all the same.
      const { token } = await addToken(root, 'read', 'ana', new Date())
      const other = await start(root, { openRead: true, limits: { requestsPerMinute: 3 } })
      for (let i = 0; i < 3; i++) {
        assert.equal((await ask(other.server, '/sync', { token, localAddress: `127.0.0.${i + 2}` })).status, 200)
      }
      assert.equal((await ask(other.server, '/sync', { token, localAddress: '127.0.0.9' })).code, 'TOO_MANY_REQUESTS')
      assert.equal((await ask(other.server, '/sync', { localAddress: '127.0.0.9' })).status, 200)
    }

    let goOn: () => void = () => undefined
    const waits = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow: Conversation = async (_, exchange) => {
      await waits
      await exchange.end()
    }
    const busy = await start(root, { openRead: true, converse: slow, limits: { exchanges: 2 } })
    const two = [ask(busy.server, '/sync'), ask(busy.server, '/sync')]
    let third = await ask(busy.server, '/sync')
    // The first two may not have come that far.
    while (third.status === 200) third = await ask(busy.server, '/sync')
    assert.deepEqual([third.status, third.code], [503, 'SERVER_BUSY'])
    goOn()
    for (const each of await Promise.all(two)) assert.equal(each.status, 200)
  })

  it('closes connections beyond their number', async () => {
    const { server } = await start(await makeFolder(), { limits: { connections: 2 } })
    const sockets = Array.from({ length: 2 }, () => connect(server.port))
    for (const socket of sockets) if (socket.connecting) await once(socket, 'connect')
    const third = connect(server.port)
    third.on('error', () => undefined)
    await over(third)
    for (const socket of sockets) socket.destroy()
  })

  it('does not wait for requests that do not begin', async () => {
    const { server } = await start(await makeFolder(), { limits: { headMilliseconds: 60 } })
    for (const said of ['', 'POST /sync HTTP/1.1\r\nHost: x\r\n']) {
      const socket = connect(server.port)
      socket.on('error', () => undefined).resume()
      socket.write(said)
      await over(socket)
    }
  })

  it('does not wait for who is slow', async () => {
    const { server, lines } = await start(join(await makeFolder(), 'a'), {
      openRead: true,
      limits: { milliseconds: 60, bytesPerSecond: 1e6 },
    })
    const head = `POST /sync HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 100\r\n\r\n`
    const silent = connect(server.port)
    silent.on('error', () => undefined).resume()
    silent.write(`${head}abc`)
    await over(silent)
    // A byte now and then is not enough either.
    const trickle = connect(server.port)
    trickle.on('error', () => undefined).resume()
    trickle.write(head)
    const timer = setInterval(() => trickle.write('x'), 20)
    await over(trickle)
    clearInterval(timer)
    while (lines.length < 2) await new Promise(setImmediate)
    for (const line of lines) assert.match(line, / 499 .* nothing moves any more$/)
  })

  it('does not mind clients that go away, and bytes that are no request', async () => {
    const { server, lines } = await start(join(await makeFolder(), 'a'), { openRead: true })
    const whole = Buffer.from(
      `POST /sync HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789`,
    )
    for (let length = 1; length < whole.length; length += 7) {
      const socket = connect(server.port)
      socket.on('error', () => undefined)
      socket.end(whole.subarray(0, length))
      setImmediate(() => socket.destroy())
      await over(socket)
    }
    for (const nonsense of [
      '\u0000\u0001\u0002',
      'GET\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = connect(server.port)
      socket.on('error', () => undefined).resume()
      socket.end(nonsense)
      await over(socket)
    }
    assert.equal((await ask(server, '/sync')).status, 200)
    assert.match(lines.at(-1) ?? '', / 200 in 5 out 5 /)
  })

  it('tells no more of its own faults than that they happened, and what a repository says', async () => {
    const folder = await makeFolder()
    const failing =
      (error: Error): Conversation =>
      () =>
        Promise.reject(error)
    const odd = await start(join(folder, 'a'), { openRead: true, converse: failing(new Error('secret')) })
    const answer = await ask(odd.server, '/sync')
    assert.deepEqual([answer.status, answer.code], [500, 'SERVER_FAILED'])
    assert.ok(!answer.body.includes('secret'))
    assert.match(odd.lines[0] ?? '', / 500 .* Error: secret$/)
    const coded = await start(join(folder, 'a'), {
      openRead: true,
      converse: failing(new CodedError('STORE_LOCKED', 'In use.')),
    })
    assert.deepEqual(
      [(await ask(coded.server, '/sync')).status, (await ask(coded.server, '/sync')).code],
      [503, 'STORE_LOCKED'],
    )
    // An answer that breaks off is not taken for a whole one.
    const half = await start(join(folder, 'a'), {
      openRead: true,
      converse: async (_, exchange) => {
        await exchange.write(encodeUtf8('half'))
        throw new Error('broken')
      },
    })
    await assert.rejects(ask(half.server, '/sync'))
    // What is said in the conversation and ended arrives.
    const told = await start(join(folder, 'a'), {
      openRead: true,
      converse: async (_, exchange) => {
        await exchange.write(encodeUtf8('no'))
        await exchange.end()
        throw new CodedError('BAD_RECORD', 'No.')
      },
    })
    const { status, body } = await ask(told.server, '/sync')
    assert.deepEqual([status, body.toString()], [200, 'no'])
    assert.match(told.lines[0] ?? '', / 200 .* BAD_RECORD$/)
    // A damaged store.
    rmSync(join(folder, 'deep', 'b', '.weft', 'store', 'CURRENT'))
    const { server } = await start(folder, { openRead: true })
    assert.deepEqual((await ask(server, '/deep/b/sync')).code, 'STORE_CORRUPT')
    assert.equal((await ask(server, '/a/sync')).status, 200)
  })

  it('ends: who is there gets some time, nobody else is let in, and repositories are closed', async () => {
    const root = join(await makeFolder(), 'a')
    let goOn: () => void = () => undefined
    const waits = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const converse: Conversation = async (served, exchange) => {
      await served.changed(60_000)
      await waits
      await exchange.write(encodeUtf8('late'))
      await exchange.end()
    }
    const { server } = await start(root, { openRead: true, converse })
    const late = ask(server, '/sync')
    const health = connect(server.port)
    if (health.connecting) await once(health, 'connect')
    while (!existsSync(join(root, '.weft', 'server', 'socket'))) await new Promise(setImmediate)
    const closing = server.close(20_000)
    await assert.rejects(ask(server, '/sync'), { code: 'ECONNREFUSED' })
    goOn()
    assert.equal((await late).body.toString(), 'late')
    await closing
    await (await Repository.open(root, { direct: true }))[Symbol.asyncDispose]()

    let begun: () => void = () => undefined
    const beginning = new Promise<void>((resolve) => {
      begun = resolve
    })
    const endless: Conversation = () => {
      begun()
      return new Promise(() => undefined)
    }
    const never = await start(root, { openRead: true, converse: endless })
    const lost = ask(never.server, '/sync')
    const noticed = assert.rejects(lost)
    await beginning
    await never.server.close(20)
    await noticed
  })
})

describe('lines that others can read', () => {
  it('are not for tokens', async () => {
    const root = join(await makeFolder(), 'a')
    await assert.rejects(start(root, { host: '0.0.0.0' }), { code: 'LINE_OPEN' })
    for (const [host, isOpen] of [
      ['127.0.0.1', false],
      ['::1', false],
      ['0.0.0.0', true],
      ['::', true],
      ['192.0.2.1', true],
    ] as const) {
      assert.equal(isOpenLine({ host, tls: undefined }), isOpen, host)
      assert.equal(isOpenLine({ host, tls: { cert: Buffer.of(), key: Buffer.of() } }), false)
    }
    for (const options of [{ openRead: true }, { insecure: true }]) {
      const { server } = await start(root, { host: '0.0.0.0', ...options })
      await server.close(0)
    }
    await assert.rejects(start(root, { host: 'nowhere.invalid' }), { code: 'ADDRESS_UNUSABLE' })
    const { server } = await start(root)
    await assert.rejects(start(root, { port: server.port }), { code: 'ADDRESS_UNUSABLE', hint: /--http/ })
  })

  const outer = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  it('make tokens that come over them worthless', {
    skip: outer === undefined && 'there is no network here',
  }, async () => {
    const root = join(await makeFolder(), 'a')
    const { token } = await addToken(root, 'write', 'ana', new Date())
    for (const [insecure, code] of [
      [false, 'TOKEN_EXPOSED'],
      [true, undefined],
    ] as const) {
      const { server } = await start(root, { host: '0.0.0.0', openRead: true, insecure })
      const from = (address = ''): RunningServer => ({ ...server, address })
      assert.equal((await ask(from(outer), '/sync', { token })).code, code)
      assert.equal((await ask(from('127.0.0.1'), '/sync', { token })).status, 200)
      assert.equal((await ask(from(outer), '/sync')).status, 200)
    }
  })

  const certificate = makeCertificate()
  it('are closed by TLS', { skip: certificate === undefined && 'there is no openssl here' }, async () => {
    const root = join(await makeFolder(), 'a')
    const { token } = await addToken(root, 'write', 'ana', new Date())
    const { cert, key } = certificate ?? assert.fail()
    const { server, heard } = await start(root, { host: '0.0.0.0', tls: { cert, key } })
    assert.match(server.url, /^https:/)
    assert.equal((await ask({ ...server, address: '127.0.0.1' }, '/sync', { token })).body.toString(), 'hello')
    assert.equal(heard[0]?.permission.write, true)
    await assert.rejects(ask({ ...server, address: '127.0.0.1', url: 'http:' }, '/sync', { token }))
    await assert.rejects(start(root, { tls: { cert, key: Buffer.from('no key') } }), { code: 'TLS_UNUSABLE' })
  })
})

describe('one conversation over streams', () => {
  it('is held with whoever is there, who may do everything, and may share the store with a server', async () => {
    const root = join(await makeFolder(), 'a')
    await using server = await ServedRepository.open(root)
    for (let i = 0; i < 2; i++) {
      const [input, output] = [new PassThrough(), new PassThrough()]
      const permissions: Permission[] = []
      const converse: Conversation = async ({ repository, isOwn }, exchange, permission) => {
        permissions.push(permission)
        assert.equal(isOwn, i === 1)
        assert.equal(repository.root, root)
        for await (const bytes of exchange.read) await exchange.write(bytes)
        await exchange.end()
      }
      const done = serveStream({ root, home: HOME, converse, input, output })
      input.end(Buffer.alloc(1 << 20, 'x'))
      const parts: Buffer[] = []
      for await (const part of output as AsyncIterable<Buffer>) parts.push(part)
      await done
      assert.ok(Buffer.concat(parts).equals(Buffer.alloc(1 << 20, 'x')))
      assert.deepEqual(permissions, [{ read: true, write: true }])
      await server.close()
    }
    const nothing = { home: HOME, converse: async () => undefined, input: new PassThrough(), output: new PassThrough() }
    await assert.rejects(serveStream({ ...nothing, root: quick('none') }), { code: 'REPO_NOT_FOUND' })
  })
})

describe('a conversation beside a server', () => {
  it('is held by the server, whoever has the turn to write', async () => {
    const root = join(await makeFolder(), 'a')
    const by: ServedRepository[] = []
    const converse: Conversation = async (served, exchange, permission) => {
      by.push(served)
      assert.deepEqual(permission, { read: true, write: true })
      for await (const bytes of exchange.read) await exchange.write(bytes)
      await exchange.end()
    }
    const server = await ServedRepository.open(root, { converse })
    const command = await Repository.open(root)
    const sent = Buffer.alloc(3 << 20, 'x')
    const streams = Array.from({ length: 3 }, () => ({ input: new PassThrough(), output: new PassThrough() }))
    const never: Conversation = () => assert.fail('not by this process')
    const done = streams.map((each) => serveStream({ root, home: HOME, converse: never, ...each }))
    for (const { input, output } of streams) {
      input.end(sent)
      const parts: Buffer[] = []
      for await (const part of output as AsyncIterable<Buffer>) parts.push(part)
      assert.ok(Buffer.concat(parts).equals(sent))
    }
    await Promise.all(done)
    assert.deepEqual(by, [server, server, server])
    await command[Symbol.asyncDispose]()
    // Cut off by the end of the server.
    const [input, output] = [new PassThrough(), new PassThrough()]
    const cut = serveStream({ root, home: HOME, converse: never, input, output }).then(
      () => undefined,
      (error: CodedError) => error.code,
    )
    input.write('x')
    await once(output, 'data')
    await server.close(10)
    assert.ok([undefined, 'STORE_IO'].includes(await cut))
  })

  it('that fails is noted, and ends', async () => {
    const root = join(await makeFolder(), 'a')
    const notices: string[] = []
    const converse: Conversation = () => Promise.reject(new Error('odd'))
    await using server = await ServedRepository.open(root, { converse, notice: (text) => notices.push(text) })
    const [input, output] = [new PassThrough(), new PassThrough()]
    const never: Conversation = () => assert.fail('not by this process')
    await serveStream({ root, home: HOME, converse: never, input, output: output.resume() }).catch(() => undefined)
    assert.match(notices[0] ?? '', /odd/)
    assert.equal(server.connections, 0)
  })
})

describe('open repositories', () => {
  /** Opens for real, and counts. */
  function counting(idle: number, most = 8): { repositories: OpenRepositories; opened: string[] } {
    const opened: string[] = []
    const open = (root: string, onChange: () => void): Promise<ServedRepository> => {
      opened.push(root)
      return ServedRepository.open(root, { home: HOME, onChange })
    }
    return { repositories: new OpenRepositories({ open, idle, most }), opened }
  }

  it('are shared by all who use them, and closed when nobody does', async () => {
    const root = join(await makeFolder(), 'a')
    const { repositories, opened } = counting(20)
    const seen = await Promise.all(Array.from({ length: 10 }, () => repositories.use(root, async (served) => served)))
    assert.equal(new Set(seen).size, 1)
    await repositories.use(root, async () => undefined)
    assert.equal(opened.length, 1)
    while (repositories.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await (await Repository.open(root, { direct: true }))[Symbol.asyncDispose]()
    await repositories.use(root, async () => undefined)
    assert.equal(opened.length, 2)
    await repositories.close()
  })

  it('are no more than so many, but for those in use', async () => {
    const folder = await makeFolder()
    const { repositories } = counting(60_000, 1)
    await repositories.use(join(folder, 'a'), async () => {
      await repositories.use(join(folder, 'deep', 'b'), async () => assert.equal(repositories.size, 2))
    })
    while (repositories.size > 1) await new Promise(setImmediate)
    await repositories.close()
  })

  it('are used by other programs meanwhile, and what those write is seen at once', async () => {
    const root = join(await makeFolder(), 'a')
    const { repositories } = counting(10)
    await repositories.use(root, async (served) => {
      const before = await served.repository.branches()
      let news = 0
      const told = served.changed(60_000).then(() => news++)
      edit(root, { file: 'text\n' })
      await withWork(root, (work) => commit(work, { message: 'one', author: AUTHOR }))
      await told
      assert.equal(news, 1)
      const after = await served.repository.branches()
      assert.notDeepEqual(after, before)
      // Both sides at a time, each in its turn.
      await served.exclusive(async () => {
        const waiting = Repository.open(root, { wait: 50 })
        await assert.rejects(waiting, { code: 'STORE_LOCKED' })
      })
      const other = await Repository.open(root)
      const late = await ServedRepository.open(root, { turnWait: 30 }).catch(() => undefined)
      assert.equal(late, undefined, 'whoever comes third has to wait')
      await other[Symbol.asyncDispose]()
    })
    await repositories.close()
  })

  it('stay open while other programs use them', async () => {
    const root = join(await makeFolder(), 'a')
    const { repositories, opened } = counting(10)
    await repositories.use(root, async () => undefined)
    const other = await Repository.open(root)
    await new Promise((resolve) => setTimeout(resolve, 60))
    await repositories.use(root, async () => undefined)
    assert.equal(opened.length, 1)
    await other[Symbol.asyncDispose]()
    while (repositories.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('go through another server that has the store, and let go of it at once', async () => {
    const root = join(await makeFolder(), 'a')
    const first = counting(60_000)
    const second = counting(60_000)
    await first.repositories.use(root, async (served) => {
      assert.ok(served.isOwn)
      await second.repositories.use(root, async (through) => {
        assert.ok(!through.isOwn)
        assert.deepEqual(await through.repository.branches(), await served.repository.branches())
      })
      while (second.repositories.size > 0) await new Promise(setImmediate)
    })
    await first.repositories.close()
  })

  it('wait for their turn no longer than they may', async () => {
    const root = join(await makeFolder(), 'a')
    await using served = await ServedRepository.open(root, { turnWait: 40 })
    const other = await Repository.open(root)
    await assert.rejects(
      served.exclusive(async () => undefined),
      { code: 'STORE_LOCKED' },
    )
    await other[Symbol.asyncDispose]()
    assert.equal(await served.exclusive(async () => 'done'), 'done')
  })

  it('are opened anew when their store has failed', async () => {
    const root = join(await makeFolder(), 'a')
    const { repositories, opened } = counting(60_000)
    const full = new CodedError('STORE_FULL', 'Full.')
    const fails = repositories.use(root, (served) => served.exclusive(() => Promise.reject(full)))
    await assert.rejects(fails, { code: 'STORE_FULL' })
    await repositories.use(root, (served) => served.exclusive(async () => undefined))
    assert.equal(opened.length, 2)
    await repositories.close()
    // One that cannot be opened is tried again.
    renameSync(join(root, '.weft'), join(root, 'away'))
    await assert.rejects(
      repositories.use(root, async () => undefined),
      { code: 'REPO_NOT_FOUND' },
    )
    renameSync(join(root, 'away'), join(root, '.weft'))
    await repositories.use(root, async () => undefined)
    await repositories.close()
  })
})
