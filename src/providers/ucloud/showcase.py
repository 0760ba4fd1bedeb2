# pip install ucloud-sdk-python3
from ucloud.client import Client

client = Client({"region": "cn-bj2", "project_id": "org-abc123", "base_url": "http://{address}/",
                 "public_key": "{key_id}", "private_key": "{secret}"})
print(client.ulb().allocate_backend({"ULBId": "ulb-abc123", "VServerId": "vserver-def456",
                                     "ResourceType": "UHost", "ResourceId": "uhost-demo04", "Port": 80, "Weight": 100}))
