import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { User } from '@tidemark/contracts';
import { useState } from 'react';
import { showToast } from '../../shared/toasts.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Dialog } from '../../shared/ui/dialog.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';
import { deleteUser, usersQuery } from './user-data.ts';

/** Deleting cannot be undone, so it is confirmed by typing the address. */
export function DeleteUserDialog({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteUser(user.id),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: usersQuery.queryKey });
      showToast('ok', `${user.email} was deleted`);
      onClose();
    },
  });
  const confirmed = typed.trim().toLowerCase() === user.email;
  return (
    <Dialog title={`Delete ${user.email}?`} onClose={onClose}>
      <form
        className="form"
        onSubmit={event => {
          event.preventDefault();
          if (confirmed) remove.mutate();
        }}
      >
        <ul className="consequences">
          <li>They are signed out everywhere, at once.</li>
          <li>The row leaves the database and cannot be brought back from here.</li>
          <li>Their reviews stay, and the row’s history stays in the change store.</li>
        </ul>
        <TextField
          label={`Type ${user.email} to confirm`}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={event => setTyped(event.target.value)}
        />
        {remove.isError && <FormError error={remove.error} />}
        <div className="form-actions">
          <Button onClick={onClose}>Keep the account</Button>
          <Button type="submit" variant="danger" busy={remove.isPending} disabled={!confirmed}>
            Delete for good
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
