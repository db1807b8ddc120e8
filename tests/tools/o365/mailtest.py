#!/usr/bin/python3
from O365 import Account, Connection, MSGraphProtocol
from O365.mailbox import MailBox
from O365.message import Message
client_id = 'xxxx'
client_secret = 'yyyy'
tenant = 'zzzz'
credentials = (client_id,client_secret)
account = Account(credentials, auth_flow_type='credentials',
tenant_id=tenant)
if account.authenticate():
  print('Authenticated!')
  mailbox = account.mailbox('test@mymail.ch')
  print(mailbox)
  inbox = mailbox.inbox_folder()
  print(inbox)
  for message in inbox.get_messages():
    print(message)
    break
