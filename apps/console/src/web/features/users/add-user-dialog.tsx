import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Role } from '@tidemark/contracts';
import { useState } from 'react';
import { ApiError } from '../../shared/api-error.ts';
import { passwordFault } from '../../shared/password-fault.ts';
import { showToast } from '../../shared/toasts.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Dialog } from '../../shared/ui/dialog.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';
import { RoleField } from './role-field.tsx';
import { createUser, usersQuery } from './user-data.ts';

export function AddUserDialog({ onClose }: { readonly onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [tried, setTried] = useState(false);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: createUser,
    async onSuccess(user) {
      await client.invalidateQueries({ queryKey: usersQuery.queryKey });
      showToast('ok', `${user.email} was added`, 'Watch the row arrive under Changes.');
      onClose();
    },
  });
  const fieldFault = (field: string) =>
    save.error instanceof ApiError && save.error.field === field ? save.error.message : undefined;
  const fault = passwordFault(password);

  return (
    <Dialog title="Add a user" description="They can sign in at once." onClose={onClose}>
      <form
        className="form"
        onSubmit={event => {
          event.preventDefault();
          setTried(true);
          if (fault === undefined) save.mutate({ email: email.trim().toLowerCase(), password, role });
        }}
      >
        <TextField
          label="Email"
          type="email"
          autoComplete="off"
          required
          value={email}
          error={fieldFault('email')}
          onChange={event => setEmail(event.target.value)}
        />
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          required
          value={password}
          hint="8 characters or more."
          error={(tried ? fault : undefined) ?? fieldFault('password')}
          onChange={event => setPassword(event.target.value)}
        />
        <RoleField value={role} onChange={setRole} />
        {save.isError && fieldFault('email') === undefined && fieldFault('password') === undefined && (
          <FormError error={save.error} />
        )}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            Add user
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
