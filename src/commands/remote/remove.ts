import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatRemovedRemote, listedRemote } from '../../cli/format-remote.js'
import { findRoot } from '../../repo/layout.js'

/** `weft remote remove`. */
export default class RemoteRemove extends BaseCommand {
  static override summary = 'Forget a remote'
  static override description = 'What came from there stays.'
  static override examples = ['<%= config.bin %> <%= command.id %> laptop']
  static override args = { name: required('Name of the remote') }

  async run(): Promise<void> {
    const { args } = await this.parse(RemoteRemove)
    const { removeRemote } = await import('../../sync/remotes.js')
    await this.answer(listedRemote(removeRemote(await findRoot(process.cwd()), args.name)), formatRemovedRemote)
  }
}
