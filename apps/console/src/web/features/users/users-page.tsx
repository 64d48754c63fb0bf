import { useInfiniteQuery } from '@tanstack/react-query';
import type { User } from '@tidemark/contracts';
import { LockKeyhole, UserPlus, Users } from 'lucide-react';
import { useState } from 'react';
import { permissionsOf, useMe } from '../../shared/session.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Failure, StaleBanner } from '../../shared/ui/failure.tsx';
import { Notice, PageHeader } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { AddUserDialog } from './add-user-dialog.tsx';
import { DeleteUserDialog } from './delete-user-dialog.tsx';
import { EditUserDialog } from './edit-user-dialog.tsx';
import { usersQuery } from './user-data.ts';
import { UserTable } from './user-table.tsx';
import './users.css';

/** Which dialog is open, and about whom. */
type Asking =
  | { readonly kind: 'add' }
  | { readonly kind: 'edit'; readonly user: User }
  | { readonly kind: 'delete'; readonly user: User };

const reasonId = 'users-reason';

export function UsersPage() {
  useTitle('Users');
  const me = useMe();
  const allowed = permissionsOf(me?.user.role).manageUsers;
  const [asking, setAsking] = useState<Asking>();
  const close = () => setAsking(undefined);

  return (
    <div className="page">
      <PageHeader
        title="Users"
        lead="Who may sign in, and what they may do."
        actions={
          <Button
            variant="primary"
            icon={<UserPlus size={16} />}
            disabled={!allowed}
            aria-describedby={allowed ? undefined : reasonId}
            onClick={() => setAsking({ kind: 'add' })}
          >
            Add user
          </Button>
        }
      />
      {!allowed && (
        <p id={reasonId} className="banner banner-info">
          <LockKeyhole size={16} aria-hidden="true" />
          <span>
            You are signed in as <strong>{me?.user.role}</strong>. Only an admin may add, change or delete
            accounts.
          </span>
        </p>
      )}
      <UserList
        allowed={allowed}
        myId={me?.user.id}
        onEdit={user => setAsking({ kind: 'edit', user })}
        onDelete={user => setAsking({ kind: 'delete', user })}
      />
      {asking?.kind === 'add' && <AddUserDialog onClose={close} />}
      {asking?.kind === 'edit' && <EditUserDialog user={asking.user} onClose={close} />}
      {asking?.kind === 'delete' && <DeleteUserDialog user={asking.user} onClose={close} />}
    </div>
  );
}

interface UserListProps {
  readonly allowed: boolean;
  readonly myId: number | undefined;
  readonly onEdit: (user: User) => void;
  readonly onDelete: (user: User) => void;
}

function UserList(props: UserListProps) {
  const query = useInfiniteQuery(usersQuery);
  const retry = () => void query.refetch();
  const users = query.data?.pages.flatMap(page => page.items);
  if (query.isPending) {
    return (
      <div className="panel">
        <Skeleton rows={6} height={56} />
      </div>
    );
  }
  if (users === undefined) {
    return (
      <div className="panel">
        <Failure
          what="The users could not be loaded"
          error={query.error}
          onRetry={retry}
          retrying={query.isFetching}
        />
      </div>
    );
  }
  if (users.length === 0) {
    return (
      <div className="panel">
        <Notice icon={<Users size={22} />} title="Nobody here yet">
          <p>Add the first account with the button above.</p>
        </Notice>
      </div>
    );
  }
  return (
    <>
      {query.isError && <StaleBanner error={query.error} onRetry={retry} />}
      <div className="panel">
        <UserTable users={users} {...props} reasonId={reasonId} />
        {query.hasNextPage && (
          <div className="list-end">
            <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Show more
            </Button>
          </div>
        )}
      </div>
    </>
  );
}
