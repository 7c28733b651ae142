import { at, required, VERSION_HELP } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatSnapshot } from '../../cli/format-snapshot.js'

/** `weft snapshot create`: a name for a version vector. */
export default class SnapshotCreate extends BaseCommand {
  static override summary = 'Name a state, so that it can be found and restored'
  static override description =
    `A snapshot is a signed entry that names a version vector. It can be used wherever a version can.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> before-the-move',
    '<%= config.bin %> <%= command.id %> audit-2024 --at 2024-12-31T23:59:59Z',
  ]
  static override args = { name: required('Name of the snapshot') }
  static override flags = { at: { ...at, summary: 'Name this version, not the one the current branch is at' } }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotCreate)
    await using repo = await this.openRepository()
    const options = flags.at === undefined ? {} : { at: flags.at }
    const { recordRefs } = await import('../../worktree/operation.js')
    const create = () => repo.snapshots.create(args.name, options)
    await this.answer(await recordRefs(repo, 'snapshot', create, () => `made ${args.name}`), formatSnapshot)
  }
}
