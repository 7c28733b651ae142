import { resolve } from 'node:path'
import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatRemotes, listedRemote } from '../../cli/format-remote.js'
import { tokenFlag } from '../../cli/sync-command.js'
import { findRoot } from '../../repo/layout.js'

/** `weft remote add`: a name for a place. */
export default class RemoteAdd extends BaseCommand {
  static override summary = 'Remember where a replica can be reached'
  static override description =
    'An address is a directory, a bundle file, ssh://[user@]host/path, http:// or https://. The remote called origin is the one that is meant where none is named.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> origin https://weft.example.org/project --token <token>',
    '<%= config.bin %> <%= command.id %> laptop ssh://ana@laptop/~/project',
    '<%= config.bin %> <%= command.id %> stick /media/stick/project',
  ]
  static override args = { name: required('Name of the remote'), url: required('Address') }
  static override flags = { token: tokenFlag }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RemoteAdd)
    const root = await findRoot(process.cwd())
    const [{ addRemote, findRemote }, { parsePeerUrl }] = await Promise.all([
      import('../../sync/remotes.js'),
      import('../../sync/peer-url.js'),
    ])
    // What is a path here is to be found from anywhere.
    const address = parsePeerUrl(args.url, process.cwd())
    const url = address.kind === 'directory' || address.kind === 'bundle' ? resolve(address.path) : args.url
    addRemote(root, { name: args.name, url, ...(flags.token !== undefined && { token: flags.token }) })
    await this.answer([listedRemote(findRemote(root, args.name))], formatRemotes)
  }
}
