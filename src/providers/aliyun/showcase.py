# pip install alibabacloud_slb20140515
from alibabacloud_slb20140515.client import Client
from alibabacloud_slb20140515 import models
from alibabacloud_tea_openapi.models import Config

client = Client(Config(access_key_id="{key_id}", access_key_secret="{secret}",
                       endpoint="{address}", protocol="http", region_id="cn-hangzhou"))
print(client.add_vserver_group_backend_servers(models.AddVServerGroupBackendServersRequest(
    region_id="cn-hangzhou", vserver_group_id="rsp-cige6j5e7p",
    backend_servers='[{"ServerId":"i-bp1example00000002","Port":"80","Weight":"100"}]')).body)
